import { byId, make, makeSvg, partOf, setAttribute, setTag, setText } from './dom.js';
import { clock, duration } from './format.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */
/** @typedef {import('../snapshot.ts').TimelineEvent} TimelineEvent */

/** The strip shows so much of the past. */
const SPAN_MS = 30 * 60_000;
const WIDTH = 1000;

/** @type {Readonly<Record<TimelineEvent['kind'], string>>} */
const WORDS = {
  state: 'state',
  restart: 'restart',
  reconnect: 'reconnect',
  session: 'session',
  sink: 'output',
};

/** What happened of late: a strip to see storms at a glance, and a list that says everything. */
export function timelineSection() {
  const marks = makeSvg('g');
  const strip = makeSvg(
    'svg',
    { class: 'strip', viewBox: `0 0 ${WIDTH} 24`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    makeSvg('path', { class: 'axis', d: `M0 23H${WIDTH}` }),
    marks,
  );
  const scale = make(
    'p',
    { class: 'scale', 'aria-hidden': 'true' },
    make('span', {}, `${duration(SPAN_MS).replace(' 0 s', '')} ago`),
    make('span', {}, 'now'),
  );
  const none = make('p', { class: 'note' }, 'Nothing has happened since this sidecar started.');
  const list = make('ol', { class: 'events' });
  byId('timeline').append(make('div', { class: 'strip-box' }, strip, scale), none, list);

  /** @param {Snapshot} snapshot */
  return ({ timeline, status }) => {
    none.hidden = timeline.length > 0;
    list.hidden = timeline.length === 0;
    /** @type {Map<string, Element>} */
    const shown = new Map([...list.children].map((line) => [line.id, line]));
    for (const [place, event] of timeline.entries()) {
      const id = `event-${event.id}`;
      const line = shown.get(id) ?? make('li', { id });
      shown.delete(id);
      fill(line, event);
      if (list.children[place] !== line) list.insertBefore(line, list.children[place] ?? null);
    }
    for (const line of shown.values()) line.remove();
    drawMarks(marks, timeline, status.now);
  };
}

/**
 * @param {Element} line
 * @param {TimelineEvent} event
 */
function fill(line, event) {
  const { time, kind, text } = partOf(line, () => {
    const parts = { time: make('time'), kind: make('span', { class: 'kind' }), text: make('span') };
    line.append(parts.time, ' ', parts.kind, ' ', parts.text);
    return parts;
  });
  setAttribute(time, 'datetime', new Date(event.at).toISOString());
  setText(time, clock(event.at));
  setTag(kind, event.tone, WORDS[event.kind]);
  setText(text, event.text);
}

/**
 * @param {Element} marks
 * @param {readonly TimelineEvent[]} timeline
 * @param {number} now
 */
function drawMarks(marks, timeline, now) {
  const recent = timeline.filter(({ at }) => now - at < SPAN_MS);
  while (marks.children.length > recent.length) marks.lastElementChild?.remove();
  while (marks.children.length < recent.length) marks.append(makeSvg('rect', { width: '3' }));
  for (const [place, { at, tone }] of recent.entries()) {
    const mark = /** @type {Element} */ (marks.children[place]);
    const height = tone === 'bad' ? 22 : tone === 'warn' ? 15 : 8;
    const x = Math.min(WIDTH - 3, (1 - (now - at) / SPAN_MS) * WIDTH);
    setAttribute(mark, 'data-tone', tone);
    setAttribute(mark, 'x', String(Math.round(x)));
    setAttribute(mark, 'y', String(23 - height));
    setAttribute(mark, 'height', String(height));
  }
}
