import { byId, make, partOf, setText } from './dom.js';
import { count, delay, NOTHING, rate } from './format.js';
import { Sparkline } from './sparkline.js';
import { LiveTable, showRows, textColumn } from './table.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */
/** @typedef {import('../../../../schemas/src/pod-status.ts').ExchangeStatus} ExchangeStatus */

/**
 * @typedef {object} Row
 * @property {ExchangeStatus} exchange
 * @property {readonly (number | null)[]} rates
 * @property {number} stepMs
 * @property {number} live
 */

/** Rates, latencies and subscriptions of each exchange. */
export function exchangesSection() {
  const none = make('p');
  /** @type {LiveTable<Row>} */
  const table = new LiveTable(
    'Exchanges of this pod',
    [
      {
        title: 'Exchange',
        fill: (cell, { exchange }) => {
          const { name, waiting } = partOf(cell, () => {
            const parts = {
              name: make('span', { class: 'name' }),
              waiting: make('span', { class: 'reason' }),
            };
            cell.append(parts.name, parts.waiting);
            return parts;
          });
          setText(name, exchange.exchange);
          setText(waiting, exchange.waitingFor === null ? '' : `waits for ${exchange.waitingFor}`);
        },
      },
      {
        title: 'Messages/s',
        isNumber: true,
        fill: (cell, { rates, stepMs }) => {
          const { spark, now } = partOf(cell, () => {
            const parts = { spark: new Sparkline(), now: make('span', { class: 'value' }) };
            cell.append(make('span', { class: 'spark-line' }, parts.spark.element, parts.now));
            return parts;
          });
          const latest = rates.at(-1) ?? null;
          spark.update(rates, stepMs);
          setText(now, latest === null ? NOTHING : rate(latest));
        },
      },
      textColumn('Latency p50', ({ exchange }) => delay(exchange.latencyMs?.p50), true),
      textColumn('p99', ({ exchange }) => delay(exchange.latencyMs?.p99), true),
      textColumn('Live', ({ exchange, live }) => `${count(live)} of ${count(exchange.owned)}`, true),
      textColumn('Ticks', ({ exchange }) => count(exchange.ticks), true),
      textColumn('Gaps', ({ exchange }) => count(exchange.gaps), true),
      textColumn('Invalid', ({ exchange }) => count(exchange.invalid), true),
      textColumn('Reconnects', ({ exchange }) => count(exchange.reconnects), true),
    ],
    ({ exchange }) => exchange.exchange,
  );
  byId('exchanges').append(table.element, none);

  /** @param {Snapshot} snapshot */
  return ({ status, activity }) => {
    const pod = status.ingestor.status;
    const rows = (pod?.exchanges ?? []).map((exchange) => ({
      exchange,
      rates: activity.exchanges.find((each) => each.exchange === exchange.exchange)?.messageRates ?? [],
      stepMs: activity.stepMs,
      live: (pod?.connections ?? [])
        .filter((each) => each.exchange === exchange.exchange)
        .reduce((sum, { subscriptions }) => sum + subscriptions.live, 0),
    }));
    showRows(table, none, rows, 'Nothing is known of any exchange yet.');
  };
}
