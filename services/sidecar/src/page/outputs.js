import { byId, make, makeSvg, partOf, setAttribute, setTag, setText } from './dom.js';
import { bytes, count, delay } from './format.js';
import { LiveTable, showRows, textColumn } from './table.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */
/** @typedef {import('../../../../schemas/src/pod-status.ts').SinkStatus} SinkStatus */
/** @typedef {{ sink: SinkStatus, isKnown: boolean }} Row */

const WIDTH = 100;

/** Sinks: whether they take ticks, how long that takes, and how full their queues are. */
export function outputsSection() {
  const none = make('p');
  /** @type {LiveTable<Row>} */
  const table = new LiveTable(
    'Outputs of this pod',
    [
      textColumn('Output', ({ sink }) => sink.sink),
      {
        title: 'State',
        fill: (cell, { sink, isKnown }) => {
          const { tag, detail } = partOf(cell, () => {
            const parts = { tag: make('span'), detail: make('span', { class: 'reason' }) };
            cell.append(parts.tag, parts.detail);
            return parts;
          });
          if (!isKnown) setTag(tag, 'warn', 'not known');
          else setTag(tag, sink.healthy ? 'good' : 'bad', sink.healthy ? 'takes ticks' : 'fails');
          setText(detail, sink.detail ?? '');
        },
      },
      textColumn('Acknowledged after p50', ({ sink }) => delay(sink.acknowledgementMs?.p50), true),
      textColumn('p99', ({ sink }) => delay(sink.acknowledgementMs?.p99), true),
      { title: 'Queue', isNumber: true, fill: (cell, { sink }) => fillQueue(cell, sink) },
      textColumn('Records queued', ({ sink }) => count(sink.queuedRecords), true),
      textColumn('Acknowledged', ({ sink }) => count(sink.acknowledged), true),
      textColumn('Dropped', ({ sink }) => count(sink.dropped), true),
    ],
    ({ sink }) => sink.sink,
  );
  byId('outputs').append(table.element, none);

  /**
   * @param {Snapshot} snapshot
   * @param {boolean} isKnown
   */
  return ({ status }, isKnown) => {
    const rows = (status.ingestor.status?.sinks ?? []).map((sink) => ({ sink, isKnown }));
    showRows(table, none, rows, 'Nothing is known of any output yet.');
  };
}

/**
 * @param {HTMLElement} cell
 * @param {SinkStatus} sink
 */
function fillQueue(cell, { sink, queuedBytes, queueLimitBytes }) {
  const { meter, bar, text } = partOf(cell, () => {
    const filled = makeSvg('rect', { class: 'filled', height: '8', rx: '2' });
    const trough = makeSvg('rect', { class: 'trough', width: String(WIDTH), height: '8', rx: '2' });
    const parts = {
      meter: makeSvg(
        'svg',
        { class: 'meter', viewBox: `0 0 ${WIDTH} 8`, preserveAspectRatio: 'none', role: 'meter' },
        trough,
        filled,
      ),
      bar: filled,
      text: make('span', { class: 'value' }),
    };
    setAttribute(parts.meter, 'aria-valuemin', '0');
    cell.append(make('span', { class: 'queue' }, parts.meter, parts.text));
    return parts;
  });
  const share = queueLimitBytes > 0 ? Math.min(1, queuedBytes / queueLimitBytes) : 0;
  const words = `${bytes(queuedBytes)} of ${bytes(queueLimitBytes)}`;
  setAttribute(meter, 'aria-label', `Queue of ${sink}`);
  setAttribute(meter, 'aria-valuemax', String(queueLimitBytes));
  setAttribute(meter, 'aria-valuenow', String(queuedBytes));
  setAttribute(meter, 'aria-valuetext', words);
  setAttribute(meter, 'data-tone', share > 0.8 ? 'bad' : share > 0.5 ? 'warn' : 'good');
  setAttribute(bar, 'width', String(Math.round(share * WIDTH * 10) / 10));
  setText(text, words);
}
