import { byId, make, setTag, setText } from './dom.js';
import { count, duration, NOTHING } from './format.js';
import { LiveTable, showRows, textColumn } from './table.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */
/** @typedef {import('../../../../schemas/src/pod-status.ts').SubscriptionStatus} SubscriptionStatus */
/** @typedef {{ subscription: SubscriptionStatus, now: number }} Row */

/** Rows that are shown; the rest is counted. */
const SHOWN = 200;

/** @type {Readonly<Record<SubscriptionStatus['state'], 'good' | 'warn' | 'bad'>>} */
const TONES = { requested: 'warn', acknowledged: 'warn', live: 'good', stale: 'bad', rejected: 'bad' };

/** Which symbols bring nothing, and why. */
export function notLiveSection() {
  const none = make('p');
  const more = make('p', { class: 'note' });
  /** @type {LiveTable<Row>} */
  const table = new LiveTable(
    'Subscriptions of this pod that are not live',
    [
      textColumn('Symbol', ({ subscription }) => subscription.symbol),
      textColumn('Exchange', ({ subscription }) => subscription.exchange),
      textColumn('Channel', ({ subscription }) => subscription.channel),
      {
        title: 'State',
        fill: (cell, { subscription }) => setTag(cell, TONES[subscription.state], subscription.state),
      },
      textColumn('For', ({ subscription, now }) => duration(now - subscription.since), true),
      textColumn('Why', ({ subscription }) => subscription.reason ?? NOTHING),
    ],
    ({ subscription: { exchange, channel, symbol } }) => JSON.stringify([exchange, channel, symbol]),
  );
  byId('not-live').append(table.element, none, more);

  /** @param {Snapshot} snapshot */
  return ({ status }) => {
    const pod = status.ingestor.status;
    const now = (pod?.now ?? 0) + (status.ingestor.ageSeconds ?? 0) * 1000;
    const all = pod?.notLive ?? [];
    const rows = all.slice(0, SHOWN).map((subscription) => ({ subscription, now }));
    showRows(table, none, rows, pod === null ? 'Nothing is known yet.' : 'Every subscription is live.');
    more.hidden = all.length <= SHOWN;
    setText(more, more.hidden ? '' : `And ${count(all.length - SHOWN)} more, listed in /status.`);
  };
}
