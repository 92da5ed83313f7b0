import { type Command, InvalidArgumentError, Option } from 'commander';
import { SkipReport } from '../output/skip-report.ts';
import { SymbolWatch } from '../output/symbol-watch.ts';
import { TIME_FORMS, TIME_STYLES } from '../output/time.ts';
import { readRange } from '../reading/read-range.ts';
import type { PartitionRange, RecordFilter } from '../reading/records.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { aboutText, helpEnd, type Run } from './command.ts';
import { addConnectionOptions, type Options, withSource } from './connection-options.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import {
  addSelectionOptions,
  channelOf,
  exchangesOf,
  symbolsOf,
  timeStyleOf,
  timesOf,
  topicOf,
} from './record-selection.ts';
import { RecordWriters } from './record-writers.ts';
import { warnOfRetention } from './retention-warning.ts';
import { Interrupted, type World } from './world.ts';

const HELP = helpEnd(
  [
    'tickline tail trades --symbol BTC-USDT --exchange okx',
    'tickline tail quotes --symbol "BTC-*,ETH-*" --from -5m',
    'tickline tail trades --json | jq .price',
    'tickline tail status -n 20 --from -1h',
  ],
  ['done', 'usage', 'connection', 'skipped', 'output', 'interrupted'],
);

const ABOUT = aboutText(
  'Shows records as they come, until Ctrl-C (exit code 0; 130 while it still begins) or --limit. Each partition is in its own order; for the order of receive times over all partitions there is `tickline replay`.',
);

/** `tickline tail`. */
export function tailCommand(program: Command, run: Run): void {
  const command = program
    .command('tail')
    .argument('<topic>', 'trades, quotes or status')
    .summary('records as they come')
    .description(ABOUT)
    .option('-n, --limit <count>', 'end after so many records', countOption)
    .option('--from <time>', `begin earlier, with what was received since: ${TIME_FORMS}`)
    .option('--local', 'a time without a zone is by this machine’s clock');
  addSelectionOptions(command)
    .addOption(new Option('--json', 'JSON lines instead of a table, as of `replay`'))
    .option('--time <style>', `times of records: ${TIME_STYLES.join(', ')}; in JSON only utc (ISO text)`);
  addConnectionOptions(command)
    .addHelpText('after', HELP)
    .action((topic: string, options: Options) => run((world) => tail(topic, options, world)));
}

function countOption(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('it must be a whole number above 0');
  return Number(text);
}

async function tail(topic: string, options: Options, world: World): Promise<ExitCode> {
  const channel = channelOf(topic);
  const { fromMicros } = timesOf(options, world.now());
  const limit = (options.limit as number | undefined) ?? Number.POSITIVE_INFINITY;
  const watch = new SymbolWatch(symbolsOf(options));
  const filter: RecordFilter = {
    symbols: symbolsOf(options),
    exchanges: exchangesOf(options),
    fromMicros,
    toMicros: null,
    sawSymbol: watch.saw,
  };
  const style = { isTable: options.json !== true, time: timeStyleOf(options) };
  const skips = new SkipReport((line) => world.stderr.write(`${line}\n`));
  return withSource(options, world, async (source) => {
    const name = topicOf(channel, source.cluster.topicPrefix);
    const writers = await RecordWriters.open(source, [channel], style, world);
    if (fromMicros !== null) await warnOfRetention(source, name, fromMicros, world);
    await warnOfUnknownSymbols(source, name, filter, watch, world);
    const ranges = await rangesOf(source, name, fromMicros);
    const enough = new AbortController();
    let written = 0;
    try {
      await readRange(source, {
        ranges,
        filter,
        order: 'any',
        visitor: {
          record(view) {
            if (written === limit) return;
            writers.append(view);
            written++;
          },
        },
        betweenBatches() {
          if (written === limit) enough.abort(new LimitReached());
          return writers.flush();
        },
        skipped: skips.add,
        signal: AbortSignal.any([world.signal, enough.signal]),
      });
    } catch (error) {
      // Ctrl-C is how one ends a look at what comes.
      if (!(error instanceof LimitReached) && !(error instanceof Interrupted)) throw error;
    }
    await writers.flush();
    if (skips.count > 0) world.stderr.write(`tickline: ${skips.summary}\n`);
    return skips.count > 0 ? EXIT.skipped : EXIT.done;
  });
}

class LimitReached extends Error {
  override name = 'LimitReached';
}

/** From a time, or the end, on. */
async function rangesOf(
  source: TopicSource,
  name: string,
  fromMicros: number | null,
): Promise<PartitionRange[]> {
  const bounds = await source.bounds(name);
  const starts =
    fromMicros === null ? null : await source.cluster.offsetsAt(name, Math.floor(fromMicros / 1000));
  return bounds.map(({ partition, high }) => ({
    topic: name,
    partition,
    start: starts?.get(partition) ?? high,
    end: Number.POSITIVE_INFINITY,
  }));
}

/** So many records of each partition are looked at for the symbols that there are. */
const SAMPLED = 2_000;

/** A symbol may well come later: who waits for one that nobody writes is told what there is. */
async function warnOfUnknownSymbols(
  source: TopicSource,
  name: string,
  { symbols }: RecordFilter,
  watch: SymbolWatch,
  world: World,
): Promise<void> {
  if (symbols.length === 0) return;
  const bounds = await source.bounds(name);
  await readRange(source, {
    ranges: bounds
      .map(({ partition, low, high }) => ({
        topic: name,
        partition,
        start: Math.max(low, high - SAMPLED),
        end: high,
      }))
      .filter(({ start, end }) => start < end),
    filter: { symbols, exchanges: [], fromMicros: null, toMicros: null, sawSymbol: watch.saw },
    order: 'any',
    visitor: { record: () => undefined },
    signal: world.signal,
  });
  for (const complaint of watch.complaints()) world.stderr.write(`tickline: ${complaint}; waiting for it\n`);
}
