import { byId, setText } from './dom.js';
import { clock } from './format.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */

/** The log's level, and a form to change it. */
export function logSection() {
  const form = byId('log-form');
  const answer = byId('log-answer');
  if (!(form instanceof HTMLFormElement)) throw new Error('#log-form is no form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = new FormData(form);
    const query = new URLSearchParams({ level: String(wanted.get('level')) });
    const time = String(wanted.get('for'));
    if (time !== '') query.set('for', time);
    void change(query).then((sentence) => setText(answer, sentence));
  });

  /** @param {Snapshot} snapshot */
  return ({ log }) => {
    const until = log.until === null ? '' : ` until ${clock(log.until)}`;
    setText(
      byId('log-now'),
      `The sidecar logs at level ${log.level}${until}. A change is for the ingestor, too.`,
    );
  };
}

/** @param {URLSearchParams} query */
async function change(query) {
  try {
    const answer = await fetch(`log-level?${query}`, { method: 'PUT' });
    /** @type {{ error?: string, ingestor?: { error?: string } }} */
    const told = await answer.json();
    if (answer.ok) return `Changed to ${query.get('level')}, sidecar and ingestor.`;
    if (told.ingestor?.error !== undefined) {
      return `The sidecar's level was changed, but not the ingestor's. ${told.ingestor.error}`;
    }
    return `Not changed. ${told.error ?? ''}`;
  } catch {
    return 'Not changed: the sidecar does not answer.';
  }
}
