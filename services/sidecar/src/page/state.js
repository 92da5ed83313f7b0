import { byId, make, makeSvg, partOf, setAttribute, setText } from './dom.js';
import { bytes, clock, count, duration, NOTHING } from './format.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */

/** Shapes by tone: a tick in a circle, an exclamation mark in a triangle, a cross in an octagon. */
const ICONS = {
  good: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM7 12.5l3.4 3.4L17.2 9',
  warn: 'M12 2.5 22.5 21h-21zM12 9.5v5M12 17.4v.6',
  bad: 'M7.8 2h8.4L22 7.8v8.4L16.2 22H7.8L2 16.2V7.8zM8.5 8.5l7 7M15.5 8.5l-7 7',
};

/** The head of the page: how the ingestor is, in words. */
export function stateSection() {
  const section = byId('state');
  const icon = byId('state-icon');
  const path = makeSvg('path');
  icon.append(makeSvg('svg', { viewBox: '0 0 24 24' }, path));
  const facts = byId('facts');

  /** @param {Snapshot} snapshot */
  return ({ headline, status }) => {
    const { ingestor } = status;
    const pod = ingestor.status;
    setAttribute(section, 'data-tone', headline.tone);
    setAttribute(path, 'd', ICONS[headline.tone]);
    // Read out when it changes, and only then.
    setText(byId('headline'), headline.title);
    setText(byId('detail'), headline.detail);
    const shard = pod === null ? 'status' : `shard ${pod.shard.index} of ${pod.shard.count}`;
    setText(byId('pod'), shard);
    document.title = `${headline.tone === 'good' ? '' : `(${headline.tone === 'bad' ? '!' : '?'}) `}Tickline ${shard}`;
    showFacts(facts, [
      ['In this state for', duration(status.now - ingestor.since)],
      ['Last answer', ingestor.ageSeconds === null ? 'never' : `${duration(ingestor.ageSeconds * 1000)} ago`],
      ['Restarts seen', restartsOf(ingestor)],
      ['Process', pod === null ? NOTHING : `pid ${pod.pid}, up ${duration(pod.now - pod.startedAt)}`],
      ['Producer', pod?.producer ?? NOTHING],
      ['Memory', pod === null ? NOTHING : bytes(pod.rssBytes)],
      ['CPU time', pod === null ? NOTHING : duration(pod.cpuSeconds * 1000)],
      ['Version', pod?.version ?? NOTHING],
      ['Assignment', pod?.assignment ?? NOTHING],
    ]);
  };
}

/** @param {Snapshot['status']['ingestor']} ingestor */
function restartsOf({ restarts, lastRestart }) {
  return lastRestart === null ? count(restarts) : `${count(restarts)}, last at ${clock(lastRestart.at)}`;
}

/**
 * @param {HTMLElement} list
 * @param {readonly (readonly [string, string])[]} facts
 */
function showFacts(list, facts) {
  const values = partOf(list, () =>
    facts.map(([name]) => {
      const value = make('dd');
      list.append(make('div', {}, make('dt', {}, name), value));
      return value;
    }),
  );
  for (const [place, [, text]] of facts.entries()) {
    const value = values[place];
    if (value !== undefined) setText(value, text);
  }
}
