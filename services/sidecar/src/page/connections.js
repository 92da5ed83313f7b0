import { byId, make, setTag } from './dom.js';
import { count, duration, NOTHING } from './format.js';
import { LiveTable, showRows, textColumn } from './table.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */
/** @typedef {import('../../../../schemas/src/pod-status.ts').ConnectionStatus} ConnectionStatus */
/** @typedef {{ connection: ConnectionStatus, now: number, isKnown: boolean }} Row */

/** @type {Readonly<Record<ConnectionStatus['state'], 'good' | 'warn' | 'bad'>>} */
const TONES = { connecting: 'warn', open: 'good', 'backing-off': 'bad', closed: 'bad' };
/** @type {Readonly<Record<ConnectionStatus['state'], string>>} */
const WORDS = { connecting: 'connecting', open: 'open', 'backing-off': 'backing off', closed: 'closed' };

/** Every WebSocket of the pod. */
export function connectionsSection() {
  const none = make('p');
  const age = (/** @type {number | null} */ since, /** @type {number} */ now) =>
    since === null ? NOTHING : duration(now - since);
  /** @type {LiveTable<Row>} */
  const table = new LiveTable(
    'Connections of this pod, by exchange',
    [
      textColumn('Connection', ({ connection }) => connection.connection),
      {
        title: 'State',
        fill: (cell, { connection, isKnown }) => {
          const word = WORDS[connection.state];
          if (isKnown) setTag(cell, TONES[connection.state], word);
          else setTag(cell, 'warn', `not known, was ${word}`);
        },
      },
      textColumn('Open for', ({ connection, now }) => age(connection.openedAt, now), true),
      textColumn('Last data', ({ connection, now }) => age(connection.lastDataAt, now), true),
      textColumn('Live', ({ connection }) => count(connection.subscriptions.live), true),
      textColumn('Other subscriptions', ({ connection }) => otherSubscriptions(connection)),
      textColumn('Messages', ({ connection }) => count(connection.messages), true),
      textColumn('Reconnects', ({ connection }) => reconnectsOf(connection)),
      textColumn('Session', ({ connection }) => connection.session ?? NOTHING),
    ],
    ({ connection }) => connection.connection,
  );
  byId('connections').append(table.element, none);

  /**
   * @param {Snapshot} snapshot
   * @param {boolean} isKnown
   */
  return ({ status }, isKnown) => {
    const pod = status.ingestor.status;
    // Times are the ingestor's own: its clock at its answer, and since then ours.
    const now = (pod?.now ?? 0) + (status.ingestor.ageSeconds ?? 0) * 1000;
    const rows = (pod?.connections ?? []).map((connection) => ({ connection, now, isKnown }));
    showRows(table, none, rows, 'No connection is known yet.');
  };
}

/** @param {ConnectionStatus} connection */
function otherSubscriptions({ subscriptions }) {
  const others = Object.entries(subscriptions).filter(([state, number]) => state !== 'live' && number > 0);
  return others.map(([state, number]) => `${count(number)} ${state}`).join(', ') || 'none';
}

/** @param {ConnectionStatus} connection */
function reconnectsOf({ reconnects }) {
  return (
    Object.entries(reconnects)
      .map(([reason, number]) => `${count(number)} × ${reason}`)
      .join(', ') || 'none'
  );
}
