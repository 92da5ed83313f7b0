import { byId, make, partOf, setTag, setText } from './dom.js';
import { count, duration, NOTHING } from './format.js';
import { LiveTable, textColumn } from './table.js';

/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */
/** @typedef {import('../snapshot.ts').Fleet} Fleet */
/** @typedef {import('../snapshot.ts').FleetPod} FleetPod */
/** @typedef {import('../snapshot.ts').FleetShard} FleetShard */
/** @typedef {'good' | 'warn' | 'bad'} Tone */

/** @type {Readonly<Record<string, readonly [Tone, string]>>} */
const INGESTOR_WORDS = {
  unknown: ['warn', 'not asked yet'],
  starting: ['warn', 'starting'],
  up: ['good', 'up'],
  draining: ['warn', 'draining'],
  restarted: ['warn', 'restarted'],
  unreachable: ['bad', 'unreachable'],
  hung: ['bad', 'hangs'],
  'bad-answer': ['bad', 'bad answer'],
};

/** @type {Readonly<Record<FleetPod['peer'], readonly [Tone, string]>>} */
const PEER_WORDS = {
  unknown: ['warn', 'not asked yet'],
  answers: ['good', 'answers'],
  unreachable: ['bad', 'unreachable'],
  silent: ['bad', 'silent'],
  refused: ['bad', 'refuses our token'],
  'bad-answer': ['bad', 'bad answer'],
  gone: ['warn', 'gone'],
};

/** Who owns how much, and how each pod is. */
export function fleetSection() {
  const problems = make('ul', { class: 'problems', 'aria-label': 'Problems of the fleet' });
  const note = make('p', { class: 'note' });
  const map = make('div');
  byId('fleet').append(
    problems,
    note,
    make('h3', {}, 'Shard map: symbols owned'),
    map,
    make('h3', {}, 'Pods'),
  );
  const pods = podsTable();
  byId('fleet').append(pods.element);

  /** @param {Snapshot} snapshot */
  return ({ fleet }) => {
    setText(note, noteOf(fleet));
    showProblems(problems, fleet.problems);
    showMap(map, fleet);
    pods.update(fleet.pods);
  };
}

/** @param {Fleet} fleet */
function noteOf({ hasPeers, pods, shards }) {
  if (!hasPeers) return 'No peers are configured (peers.host): this is what this pod alone knows.';
  const answering = pods.filter(({ peer }) => peer === 'answers').length;
  return `${count(answering)} of ${count(pods.length)} pods answer, for ${count(shards.length)} shards.`;
}

/**
 * @param {HTMLElement} list
 * @param {readonly string[]} sentences
 */
function showProblems(list, sentences) {
  list.hidden = sentences.length === 0;
  while (list.children.length > sentences.length) list.lastElementChild?.remove();
  while (list.children.length < sentences.length) list.append(make('li'));
  for (const [place, sentence] of sentences.entries()) {
    setText(/** @type {Element} */ (list.children[place]), sentence);
  }
}

/**
 * The columns are the exchanges: other exchanges need another table.
 * @param {HTMLElement} box
 * @param {Fleet} fleet
 */
function showMap(box, { exchanges, shards }) {
  const columns = JSON.stringify(exchanges);
  if (box.dataset.columns !== columns) {
    box.dataset.columns = columns;
    box.replaceChildren();
    box.append(mapTable(exchanges).element);
  }
  const last = box.lastElementChild;
  if (last !== null) partOf(last, () => mapTable(exchanges)).update(shards);
}

/** @param {Fleet['exchanges']} exchanges */
function mapTable(exchanges) {
  /** @type {LiveTable<FleetShard>} */
  const table = new LiveTable(
    'Symbols that each shard owns, by exchange',
    [
      textColumn('Shard', ({ index }) => String(index)),
      {
        title: 'Pods',
        fill: (cell, { pods }) => {
          if (pods === 1) setTag(cell, 'good', '1 pod');
          else if (pods === 0) setTag(cell, 'bad', 'no pod that answers');
          else setTag(cell, 'warn', `${pods} pods`);
        },
      },
      ...exchanges.map(({ exchange, configured }, place) =>
        textColumn(
          `${exchange} (${count(configured)})`,
          (/** @type {FleetShard} */ { owned }) => {
            const own = owned[place];
            return own === null || own === undefined ? NOTHING : count(own);
          },
          true,
        ),
      ),
    ],
    ({ index }) => String(index),
  );
  partOf(table.element, () => table);
  return table;
}

function podsTable() {
  /** @type {LiveTable<FleetPod>} */
  const table = new LiveTable(
    'Pods of the fleet',
    [
      textColumn('Pod', ({ address }) => address ?? 'this pod'),
      textColumn('Shard', ({ ingestor }) => {
        const shard = ingestor?.shard;
        return shard === null || shard === undefined ? NOTHING : `${shard.index} of ${shard.count}`;
      }),
      {
        title: 'Sidecar',
        fill: (cell, { peer, reason, ageSeconds }) => {
          const [tone, word] = PEER_WORDS[peer];
          const { tag, why } = withReason(cell);
          setTag(tag, tone, word);
          const age = ageSeconds === null ? '' : `, heard ${duration(ageSeconds * 1000)} ago`;
          setText(why, peer === 'answers' ? '' : `${reason}${age}`);
        },
      },
      {
        title: 'Ingestor',
        fill: (cell, { peer, ingestor }) => {
          const { tag, why } = withReason(cell);
          if (ingestor === null) {
            setTag(tag, 'warn', 'not known');
            setText(why, '');
            return;
          }
          const [tone, word] = INGESTOR_WORDS[ingestor.state] ?? ['warn', ingestor.state];
          if (peer === 'answers') setTag(tag, tone, word);
          else setTag(tag, 'warn', `not known, was ${word}`);
          setText(why, peer === 'answers' && ingestor.state !== 'up' ? ingestor.reason : '');
        },
      },
      textColumn('Ready', ({ ingestor }) => (ingestor === null ? NOTHING : ingestor.ready ? 'yes' : 'no')),
      textColumn(
        'Live',
        ({ ingestor }) =>
          ingestor === null
            ? NOTHING
            : `${count(ingestor.subscriptions.live)} of ${count(ingestor.subscriptions.owned)}`,
        true,
      ),
      textColumn('Version', ({ ingestor }) => ingestor?.version ?? NOTHING),
      textColumn('Assignment', ({ ingestor }) => ingestor?.assignment ?? NOTHING),
      textColumn('Producer', ({ ingestor }) => ingestor?.producer ?? NOTHING),
    ],
    ({ address }) => address ?? '',
  );
  return table;
}

/** @param {HTMLElement} cell */
function withReason(cell) {
  return partOf(cell, () => {
    const parts = { tag: make('span'), why: make('span', { class: 'reason' }) };
    cell.append(parts.tag, parts.why);
    return parts;
  });
}
