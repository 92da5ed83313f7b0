import { TOPICS, type Topic, topicName, valueSubject } from '@tickline/schemas';
import { type Command, Option } from 'commander';
import { tableText, wantsColours } from '../output/table.ts';
import { formatTime, parseSpan, TIME_STYLES, TimeError, type TimeStyle } from '../output/time.ts';
import { lastBatches } from '../reading/last-batches.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { aboutText, helpEnd, type Run } from './command.ts';
import { addConnectionOptions, type Options, withSource } from './connection-options.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { timeStyleOf } from './record-selection.ts';
import type { World } from './world.ts';

const HELP = helpEnd(
  [
    'tickline topics',
    'tickline topics --partitions --time relative',
    'tickline topics --json | jq ".topics[].records"',
  ],
  ['done', 'usage', 'connection', 'interrupted'],
);

const ABOUT = aboutText(
  'Lists the topics of Tickline that the cluster has: partitions, offsets, the times of the first and last record, records a second over --rate-window, and the versions of the schema that are registered and that the last records were written with.',
);

/** One partition, as `--json` has it. Times are microseconds since 1970; null: it is empty. */
export interface PartitionReport {
  readonly partition: number;
  readonly firstOffset: number;
  /** Offset of the next record. */
  readonly endOffset: number;
  readonly firstTime: number | null;
  readonly lastTime: number | null;
  readonly recordsPerSecond: number;
}

/** One topic, as `--json` has it. */
export interface TopicReport {
  readonly topic: string;
  readonly records: number;
  readonly firstTime: number | null;
  readonly lastTime: number | null;
  readonly recordsPerSecond: number;
  /** Null: no registry is set, or the topic has no schema. */
  readonly schema: {
    readonly registeredVersions: readonly number[];
    /** Of the last batch of each partition; null: an id that is none of the subject's. */
    readonly seenVersions: readonly (number | null)[];
  } | null;
  readonly partitions: readonly PartitionReport[];
}

/** `tickline topics`. */
export function topicsCommand(program: Command, run: Run): void {
  const command = program
    .command('topics')
    .summary('what there is: partitions, offsets, times, rates, schema versions')
    .description(ABOUT)
    .option('--partitions', 'a line for each partition')
    .option('--rate-window <span>', 'the time up to now over which rates are measured', '1m')
    .addOption(new Option('--json', 'one JSON document'))
    .option('--time <style>', `times: ${TIME_STYLES.join(', ')}`, 'utc');
  addConnectionOptions(command)
    .addHelpText('after', HELP)
    .action((options: Options) => run((world) => topics(options, world)));
}

async function topics(options: Options, world: World): Promise<ExitCode> {
  const style = timeStyleOf(options)!;
  const windowMs = rateWindow(options);
  return withSource(options, world, async (source) => {
    const there = new Set((await source.cluster.topics()).map(({ name }) => name));
    const { topicPrefix } = source.cluster;
    const wanted = TOPICS.filter((topic) => there.has(topicName(topicPrefix, topic)));
    const reports: TopicReport[] = [];
    for (const topic of wanted) reports.push(await reportOf(source, topic, windowMs, world));
    if (options.json === true) {
      await world.stdout.write(`${JSON.stringify({ rateWindowMs: windowMs, topics: reports })}\n`);
      return EXIT.done;
    }
    if (reports.length === 0) {
      world.stderr.write(
        `tickline: the cluster has no topics of Tickline with the prefix ${JSON.stringify(topicPrefix)} (kafka.topicPrefix); \`tickline-ingestor provision\` makes them\n`,
      );
      return EXIT.done;
    }
    const text =
      options.partitions === true ? partitionTable(reports, style, world) : topicTable(reports, style, world);
    await world.stdout.write(text);
    return EXIT.done;
  });
}

function rateWindow(options: Options): number {
  try {
    return Math.max(1, parseSpan(String(options.rateWindow)));
  } catch (error) {
    if (error instanceof TimeError) throw new TimeError(`--rate-window ${error.message}`);
    throw error;
  }
}

async function reportOf(
  source: TopicSource,
  topic: Topic,
  windowMs: number,
  world: World,
): Promise<TopicReport> {
  const name = topicName(source.cluster.topicPrefix, topic);
  const bounds = await source.bounds(name);
  const first = await source.cluster.firstRecords(name);
  const last = await lastBatches(source, name, world.signal);
  const recent = await source.cluster.offsetsAt(name, world.now() - windowMs);
  const partitions = bounds.map(({ partition, low, high }): PartitionReport => {
    const start = first.get(partition)?.timestampMs;
    const end = last.find((each) => each.partition === partition)?.timestampMs;
    return {
      partition,
      firstOffset: low,
      endOffset: high,
      firstTime: low < high && start !== undefined ? start * 1000 : null,
      lastTime: end === undefined ? null : end * 1000,
      recordsPerSecond: (high - Math.max(low, recent.get(partition) ?? high)) / (windowMs / 1000),
    };
  });
  const times = (pick: (each: PartitionReport) => number | null): number[] =>
    partitions.map(pick).filter((time) => time !== null);
  const ids = new Set(last.flatMap(({ schemaIds }) => schemaIds));
  return {
    topic: name,
    records: bounds.reduce((sum, { low, high }) => sum + high - low, 0),
    firstTime: times(({ firstTime }) => firstTime).reduce<number | null>(least, null),
    lastTime: times(({ lastTime }) => lastTime).reduce<number | null>(most, null),
    recordsPerSecond: partitions.reduce((sum, each) => sum + each.recordsPerSecond, 0),
    schema: source.knownTopic(name) === null ? null : await schemaReport(source, name, ids),
    partitions,
  };
}

async function schemaReport(
  source: TopicSource,
  name: string,
  ids: ReadonlySet<number>,
): Promise<TopicReport['schema']> {
  if (source.registry === null) return null;
  const versions = await source.registry.versions(valueSubject(name));
  const versionOf = new Map(versions.map(({ id, version }) => [id, version]));
  return {
    registeredVersions: versions.map(({ version }) => version),
    seenVersions: [...new Set([...ids].map((id) => versionOf.get(id) ?? null))].sort(
      (a, b) => (a ?? 0) - (b ?? 0),
    ),
  };
}

function topicTable(reports: readonly TopicReport[], style: TimeStyle, world: World): string {
  return tableText(
    [
      { title: 'topic', align: 'left' },
      { title: 'partitions', align: 'right' },
      { title: 'records', align: 'right' },
      { title: 'first', align: 'left' },
      { title: 'last', align: 'left' },
      { title: 'records/s', align: 'number' },
      { title: 'schema versions', align: 'left' },
    ],
    reports.map((report) => [
      report.topic,
      String(report.partitions.length),
      report.records.toLocaleString('en'),
      timeText(report.firstTime, style, world),
      timeText(report.lastTime, style, world),
      report.recordsPerSecond.toFixed(1),
      schemaText(report.schema),
    ]),
    wantsColours(world.stdout.isTTY, world.env),
  );
}

function partitionTable(reports: readonly TopicReport[], style: TimeStyle, world: World): string {
  return tableText(
    [
      { title: 'topic', align: 'left' },
      { title: 'partition', align: 'right' },
      { title: 'first offset', align: 'right' },
      { title: 'end offset', align: 'right' },
      { title: 'first', align: 'left' },
      { title: 'last', align: 'left' },
      { title: 'records/s', align: 'number' },
    ],
    reports.flatMap(({ topic, partitions }) =>
      partitions.map((each) => [
        topic,
        String(each.partition),
        String(each.firstOffset),
        String(each.endOffset),
        timeText(each.firstTime, style, world),
        timeText(each.lastTime, style, world),
        each.recordsPerSecond.toFixed(1),
      ]),
    ),
    wantsColours(world.stdout.isTTY, world.env),
  );
}

function timeText(micros: number | null, style: TimeStyle, world: World): string {
  return micros === null ? '-' : formatTime(micros, style, world.now());
}

function schemaText(schema: TopicReport['schema']): string {
  if (schema === null) return '-';
  const registered = schema.registeredVersions.join(', ') || 'none';
  const seen = schema.seenVersions.map((version) => version ?? 'foreign').join(', ') || 'none';
  return `registered ${registered}; seen ${seen}`;
}

function least(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}

function most(a: number | null, b: number): number {
  return a === null ? b : Math.max(a, b);
}
