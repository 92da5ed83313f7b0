import type { World } from '../commands/world.ts';
import { type Colour, tableText, wantsColours } from '../output/table.ts';
import { formatTime, type TimeStyle } from '../output/time.ts';
import { type AuditRow, isComplete, type Missing } from './findings.ts';

/** Holes of a row that are listed; more are counted. */
const LISTED = 100;

/** The rows for people; incomplete ones in red on a terminal. */
export function auditTable(rows: readonly AuditRow[], world: Pick<World, 'stdout' | 'env'>): string {
  const red = new Map<number, Colour>([
    [5, 'red'],
    [6, 'red'],
  ]);
  return tableText(
    [
      { title: 'exchange', align: 'left' },
      { title: 'symbol', align: 'left' },
      { title: 'present', align: 'right' },
      { title: 'repeated', align: 'right' },
      { title: 'out of order', align: 'right' },
      { title: 'missing ids', align: 'right' },
      { title: 'missing sequences', align: 'right' },
      { title: 'told', align: 'right' },
      { title: 'proof', align: 'left' },
    ],
    rows.map((row) => [
      row.exchange,
      row.symbol,
      row.present.toLocaleString('en'),
      row.duplicates.toLocaleString('en'),
      row.outOfOrder.toLocaleString('en'),
      row.missingIds === null ? '-' : row.missingIds.toLocaleString('en'),
      row.missingSequences.toLocaleString('en'),
      row.told.toLocaleString('en'),
      row.proof,
    ]),
    wantsColours(world.stdout.isTTY, world.env),
    (place) => (isComplete(rows[place]!) ? new Map() : red),
  );
}

/** Every hole in a line: what is missing, when, between which producers, and what `md.status` told. */
export function holeLines(rows: readonly AuditRow[], style: TimeStyle, nowMs: number): string {
  const lineOf = (what: string, hole: Missing): string => {
    const numbers = hole.first === hole.last ? String(hole.first) : `${hole.first} to ${hole.last}`;
    const [after, before] = [hole.afterTime, hole.beforeTime].map((time) => formatTime(time, style, nowMs));
    const producers =
      hole.afterProducer === hole.beforeProducer
        ? `producer ${hole.afterProducer}`
        : `producer ${hole.afterProducer}, then ${hole.beforeProducer}`;
    const span = hole.afterTime === hole.beforeTime ? `before ${before}` : `between ${after} and ${before}`;
    return `  ${what} ${numbers}: ${span}, ${producers}; ${hole.told ?? 'not told by md.status'}\n`;
  };
  return rows
    .filter((row) => !isComplete(row))
    .map((row) => {
      const lines = [
        ...row.idHoles.map((hole) => lineOf('trade ids', hole)),
        ...row.sequenceHoles.map((hole) => lineOf('sequence', hole)),
      ];
      const more =
        lines.length > LISTED ? [`  and ${lines.length - LISTED} more; --json has all of them\n`] : [];
      return [`\n${row.exchange} ${row.symbol}\n`, ...lines.slice(0, LISTED), ...more].join('');
    })
    .join('');
}
