import { type Command, Option } from 'commander';
import { SettingsError } from '../connection/settings-error.ts';
import { counted } from '../output/counted.ts';
import { SkipReport } from '../output/skip-report.ts';
import { SymbolWatch } from '../output/symbol-watch.ts';
import { formatSpan, parseSpan, TIME_STYLES, TimeError } from '../output/time.ts';
import { type MergedProgress, readMerged } from '../reading/merged-read.ts';
import type { PartitionRange, RecordFilter } from '../reading/records.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { aboutText, helpEnd, type Run } from './command.ts';
import { addConnectionOptions, type Options, withSource } from './connection-options.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { parseOffsets, rangesOfOffsets } from './offset-ranges.ts';
import {
  addSelectionOptions,
  addTimeOptions,
  channelOf,
  exchangesOf,
  listOption,
  symbolsOf,
  timeStyleOf,
  timesOf,
  topicOf,
} from './record-selection.ts';
import { RecordWriters } from './record-writers.ts';
import { parseSpeed, ReplayPace } from './replay-pace.ts';
import { warnOfRetention } from './retention-warning.ts';
import type { World } from './world.ts';

const HELP = helpEnd(
  [
    'tickline replay trades --from 2026-11-20T14:00Z --to 2026-11-20T15:00Z --speed max > trades.jsonl',
    'tickline replay trades --merge quotes --symbol BTC-USDT --exchange okx --from -10m --speed 10x',
    'tickline replay trades --offsets 0:1000-2000 --speed max | head',
    'tickline replay quotes --symbol "BTC-*" --from -5m --table',
  ],
  ['done', 'usage', 'connection', 'skipped', 'output', 'interrupted'],
);

const ABOUT = aboutText(
  'Writes records to standard output as JSON lines, in the order of their receive times over all partitions (and topics with --merge): decimals as strings, digit for digit; times in microseconds since 1970; missing values null. With --merge each line begins with "channel". A summary goes to standard error.',
  'A record that lies more than --reorder-window behind an earlier one of its partition is written where it comes and counted as late. Without --from, --to and --offsets the whole topic is replayed, up to its end at the start.',
);

/** `tickline replay`. */
export function replayCommand(program: Command, run: Run): void {
  const command = program
    .command('replay')
    .argument('<topic>', 'trades, quotes or status')
    .summary('records in receive-time order, paced as they came or faster')
    .description(ABOUT)
    .option('--merge <topics>', 'more topics in the same order', listOption)
    .option('--offsets <ranges>', 'offsets instead of times: 0:1000-2000,1:500- (both ends included)')
    .option('--speed <factor>', '1x as they came, 10x ten times as fast, max', '1x')
    .option('--reorder-window <span>', 'how far out of order records of a partition may be', '5s');
  addTimeOptions(command);
  addSelectionOptions(command)
    .addOption(new Option('--json', 'JSON lines (the default)').conflicts('table'))
    .option('--table', 'aligned lines for people')
    .option('--time <style>', `times of records: ${TIME_STYLES.join(', ')}; in JSON only utc (ISO text)`);
  addConnectionOptions(command)
    .addHelpText('after', HELP)
    .action((topic: string, options: Options) => run((world) => replay(topic, options, world)));
}

async function replay(topic: string, options: Options, world: World): Promise<ExitCode> {
  const channels = [...new Set([topic, ...((options.merge as string[] | undefined) ?? [])])].map(channelOf);
  const { fromMicros, toMicros } = timesOf(options, world.now());
  const windowMs = windowOf(options);
  const pace = new ReplayPace(parseSpeed(String(options.speed)), world.monotonic);
  const choices = typeof options.offsets === 'string' ? parseOffsets(options.offsets) : null;
  if (choices !== null && channels.length > 1) {
    throw new SettingsError('--offsets are of one topic: leave --merge out, or use --from and --to');
  }
  const watch = new SymbolWatch(symbolsOf(options));
  const filter: RecordFilter = {
    symbols: symbolsOf(options),
    exchanges: exchangesOf(options),
    fromMicros,
    toMicros,
    sawSymbol: watch.saw,
  };
  const style = { isTable: options.table === true, time: timeStyleOf(options) };
  const skips = new SkipReport((line) => world.stderr.write(`${line}\n`));
  return withSource(options, world, async (source) => {
    const ranges: PartitionRange[] = [];
    for (const channel of channels) {
      const name = topicOf(channel, source.cluster.topicPrefix);
      ranges.push(
        ...(choices === null
          ? await timedRanges(source, name, fromMicros, toMicros, windowMs, world)
          : rangesOfOffsets(name, choices, await source.bounds(name))),
      );
    }
    const writers = await RecordWriters.open(source, channels, style, world);
    const startedAt = world.monotonic();
    const progress = await readMerged(source, {
      ranges,
      filter,
      reorderWindowMs: windowMs,
      visitor: { record: (view) => writers.append(view) },
      before(receiveTime) {
        const waitMs = pace.waitMs(receiveTime);
        if (waitMs > 0) return waited(writers, world, waitMs);
        return writers.isFull ? writers.flush() : undefined;
      },
      skipped: skips.add,
      signal: world.signal,
    });
    await writers.flush();
    world.signal.throwIfAborted();
    world.stderr.write(`${summaryOf(progress, skips, world.monotonic() - startedAt)}\n`);
    for (const complaint of watch.complaints()) world.stderr.write(`tickline: ${complaint}\n`);
    if (skips.count > 0) return EXIT.skipped;
    return watch.isUnknown ? EXIT.usage : EXIT.done;
  });
}

async function timedRanges(
  source: TopicSource,
  name: string,
  fromMicros: number | null,
  toMicros: number | null,
  windowMs: number,
  world: World,
): Promise<PartitionRange[]> {
  if (fromMicros !== null) await warnOfRetention(source, name, fromMicros, world);
  return source.rangesByTime(
    name,
    fromMicros === null ? null : Math.floor(fromMicros / 1000),
    toMicros === null ? null : Math.ceil(toMicros / 1000),
    windowMs,
  );
}

const LONGEST_SLEEP_MS = 86_400_000;

/** What was collected goes out before anybody waits. */
async function waited(writers: RecordWriters, world: World, waitMs: number): Promise<void> {
  await writers.flush();
  // A timer knows no longer time than 24.8 days.
  for (let left = waitMs; left > 0; left -= LONGEST_SLEEP_MS) {
    await world.sleep(Math.min(left, LONGEST_SLEEP_MS), world.signal);
  }
}

function windowOf(options: Options): number {
  try {
    return parseSpan(String(options.reorderWindow));
  } catch (error) {
    if (error instanceof TimeError) throw new TimeError(`--reorder-window ${error.message}`);
    throw error;
  }
}

function summaryOf(progress: MergedProgress, skips: SkipReport, elapsedMs: number): string {
  const count = (value: number): string => value.toLocaleString('en');
  const parts = [
    `${counted(progress.records, 'record')} in ${formatSpan(elapsedMs)}`,
    `${count(progress.filtered)} others passed over`,
    ...(progress.late > 0 ? [`${count(progress.late)} late (see --reorder-window)`] : []),
    ...(progress.narrowed ? ['the reorder window was shortened for lack of memory'] : []),
    ...(skips.count > 0 ? [skips.summary] : []),
  ];
  return `replayed ${parts.join(', ')}`;
}
