import { isTickChannel, type TickChannel } from '@tickline/schemas';
import { type Command, Option } from 'commander';
import { auditTable, holeLines } from '../audit/audit-table.ts';
import { AuditedTicks } from '../audit/audited-ticks.ts';
import { type AuditRow, findings, isComplete } from '../audit/findings.ts';
import { readToldLosses } from '../audit/read-told-losses.ts';
import { SettingsError } from '../connection/settings-error.ts';
import { counted } from '../output/counted.ts';
import { SkipReport } from '../output/skip-report.ts';
import { SymbolWatch } from '../output/symbol-watch.ts';
import { TIME_STYLES } from '../output/time.ts';
import { readRange } from '../reading/read-range.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { aboutText, helpEnd, type Run } from './command.ts';
import { addConnectionOptions, type Options, withSource } from './connection-options.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import {
  addSelectionOptions,
  addTimeOptions,
  channelOf,
  exchangesOf,
  symbolsOf,
  timeStyleOf,
  timesOf,
  topicOf,
} from './record-selection.ts';
import { warnOfRetention } from './retention-warning.ts';
import type { World } from './world.ts';

/** What lies so close outside the bounds may belong between ticks inside: pods write a little out of order. */
const MARGIN_MS = 5_000;

const ABOUT = aboutText(
  'Is every tick there? For each symbol of each exchange: how many ticks are present, repeated and out of order, and how many are missing, by two proofs. Each producer counts what it writes (sequence), so a hole there is a tick that we lost. Trade ids of Binance, Kraken and OKX count as well, so a hole there is a trade that is not in the topic, whoever lost it; those of Bybit prove nothing, and the column "proof" says so.',
  'Holes that md.status told of are counted under "told". A repeat of an id that proves nothing is found within the last 10,000 ids of its symbol. Lost ticks before the first and behind the last of a row can not show.',
);

const HELP = helpEnd(
  [
    'tickline audit trades --from -1h',
    'tickline audit trades --from 2026-11-20 --to 2026-11-21 --exchange binance --holes',
    'tickline audit quotes --symbol "BTC-*" --from -10m --json | jq ".rows[] | select(.missingSequences > 0)"',
  ],
  ['done', 'found', 'usage', 'connection', 'skipped', 'output', 'interrupted'],
);

/** `tickline audit`. */
export function auditCommand(program: Command, run: Run): void {
  const command = program
    .command('audit')
    .argument('<channel>', 'trades or quotes')
    .summary('completeness: what is missing, repeated, out of order, and why')
    .description(ABOUT);
  addTimeOptions(command);
  addSelectionOptions(command)
    .option('--holes', 'list every hole')
    .addOption(new Option('--json', 'one JSON document, holes included').conflicts('holes'))
    .option('--time <style>', `times of holes: ${TIME_STYLES.join(', ')}`, 'utc');
  addConnectionOptions(command)
    .addHelpText('after', HELP)
    .action((channel: string, options: Options) =>
      run((world) => withSource(options, world, (source) => audit(source, channel, options, world))),
    );
}

/** The sums of all rows. */
interface Totals {
  readonly present: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly missingIds: number;
  readonly missingSequences: number;
  readonly told: number;
}

async function audit(source: TopicSource, text: string, options: Options, world: World): Promise<ExitCode> {
  const channel = tickChannelOf(text);
  const { fromMicros, toMicros } = timesOf(options, world.now());
  const [symbols, exchanges] = [symbolsOf(options), exchangesOf(options)];
  const watch = new SymbolWatch(symbols);
  const skips = new SkipReport((line) => world.stderr.write(`${line}\n`));
  const topic = topicOf(channel, source.cluster.topicPrefix);
  if (fromMicros !== null) await warnOfRetention(source, topic, fromMicros, world);
  const earliest = fromMicros === null ? null : fromMicros - MARGIN_MS * 1000;
  const latest = toMicros === null ? null : toMicros + MARGIN_MS * 1000;
  const ranges = await source.rangesByTime(
    topic,
    earliest === null ? null : Math.floor(earliest / 1000),
    latest === null ? null : Math.ceil(latest / 1000),
    MARGIN_MS,
  );
  const whole = new Set(
    fromMicros === null ? ranges.filter(({ start }) => start === 0).map(({ partition }) => partition) : [],
  );
  const ticks = new AuditedTicks(
    { from: fromMicros ?? Number.NEGATIVE_INFINITY, to: toMicros ?? Number.POSITIVE_INFINITY },
    (partition) => whole.has(partition),
  );
  await readRange(source, {
    ranges,
    order: 'any',
    visitor: ticks,
    filter: { symbols, exchanges, fromMicros: earliest, toMicros: latest, sawSymbol: watch.saw },
    skipped: skips.add,
    signal: world.signal,
  });
  const { signal } = world;
  const told = { fromMicros: earliest, toMicros, exchanges, symbols, skipped: skips.add, signal };
  const losses = await readToldLosses(source, told);
  const rows = findings(ticks.all(), channel, losses, ticks.producers).filter(
    ({ present, duplicates }) => present + duplicates > 0,
  );
  await tell(rows, { channel, topic, fromMicros, toMicros }, skips, options, world);
  for (const complaint of watch.complaints()) world.stderr.write(`tickline: ${complaint}\n`);
  if (watch.isUnknown) return EXIT.usage;
  if (!rows.every(isComplete)) return EXIT.found;
  return skips.count > 0 ? EXIT.skipped : EXIT.done;
}

async function tell(
  rows: readonly AuditRow[],
  about: Readonly<Record<string, string | number | null>>,
  skips: SkipReport,
  options: Options,
  world: World,
): Promise<void> {
  const totals = totalsOf(rows);
  if (options.json === true) {
    const isEveryTickThere = rows.every(isComplete);
    const document = { ...about, complete: isEveryTickThere, totals, skipped: skips.byReason, rows };
    await world.stdout.write(`${JSON.stringify(document)}\n`);
    return;
  }
  await world.stdout.write(auditTable(rows, world));
  if (options.holes === true) await world.stdout.write(holeLines(rows, timeStyleOf(options)!, world.now()));
  const count = (value: number): string => value.toLocaleString('en');
  world.stderr.write(
    `${counted(rows.length, 'symbol')}, ${count(totals.present)} present, ${count(totals.duplicates)} repeated, ` +
      `${count(totals.outOfOrder)} out of order; missing: ${count(totals.missingIds)} by trade id, ` +
      `${count(totals.missingSequences)} by sequence, of which md.status told ${count(totals.told)}` +
      `${skips.count > 0 ? `; ${skips.summary}` : ''}\n`,
  );
}

function tickChannelOf(text: string): TickChannel {
  const channel = channelOf(text);
  if (isTickChannel(channel)) return channel;
  throw new SettingsError(`${text} has no ticks that are counted: audit trades or quotes`);
}

function totalsOf(rows: readonly AuditRow[]): Totals {
  const sum = (read: (row: AuditRow) => number) => rows.reduce((total, row) => total + read(row), 0);
  return {
    present: sum(({ present }) => present),
    duplicates: sum(({ duplicates }) => duplicates),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder),
    missingIds: sum(({ missingIds }) => missingIds ?? 0),
    missingSequences: sum(({ missingSequences }) => missingSequences),
    told: sum(({ told }) => told),
  };
}
