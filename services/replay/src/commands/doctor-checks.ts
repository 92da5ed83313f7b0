import {
  parseAvroSchema,
  RECORD_TOPICS,
  type RecordTopic,
  schemaText,
  TICK_CHANNELS,
  TOPICS,
  type Topic,
  topicName,
  valueSubject,
} from '@tickline/schemas';
import type { ClusterTopic } from '../connection/cluster.ts';
import { ConnectionError } from '../connection/connection-error.ts';
import type { ExpectedTopics } from '../connection/load-settings.ts';
import type { RegisteredSchema, Registry } from '../connection/registry.ts';
import { counted } from '../output/counted.ts';
import { formatSpan } from '../output/time.ts';
import { lastBatches } from '../reading/last-batches.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import type { World } from './world.ts';

export type CheckState = 'ok' | 'warn' | 'fail';

/** One thing that was looked at. */
export interface Check {
  readonly state: CheckState;
  readonly what: string;
  readonly detail: string;
  /** What to do; null: nothing. */
  readonly advice: string | null;
}

/** The rule by which subjects of ours may change, as `tickline-ingestor provision` sets it. */
const SUBJECT_COMPATIBILITY = 'FULL_TRANSITIVE';
/** What every topic of ours has, whatever the configuration says. */
const SETTINGS = { 'cleanup.policy': 'delete', 'message.timestamp.type': 'CreateTime' } as const;
const CLOCK_TOLERANCE_MS = 2_000;

/** Are the topics there, led, with their copies, and set as they should be? */
export async function* checkTopics(source: TopicSource, expected: ExpectedTopics): AsyncGenerator<Check> {
  const prefix = source.cluster.topicPrefix;
  let there: ClusterTopic[];
  let settings: ReadonlyMap<string, ReadonlyMap<string, string>>;
  try {
    there = await source.cluster.topics();
    const names = new Set(there.map(({ name }) => name));
    settings = await source.cluster.topicSettings(
      TOPICS.map((topic) => topicName(prefix, topic)).filter((name) => names.has(name)),
    );
  } catch (error) {
    yield failure('topics', error);
    return;
  }
  const counts = TOPICS.map((topic) => partitionsOf(there, topicName(prefix, topic)));
  // Without a configuration: as most of the others have it.
  const usual = expected.partitions ?? mostFrequent(counts.filter((count) => count > 0));
  for (const topic of TOPICS) {
    const name = topicName(prefix, topic);
    const found = there.find((each) => each.name === name);
    yield found === undefined
      ? missingTopic(name, topic)
      : topicCheck(found, settings.get(name) ?? null, usual, expected);
  }
}

function missingTopic(name: string, topic: Topic): Check {
  return {
    state: 'fail',
    what: `topic ${name}`,
    detail: 'is not there, or our user may not see it',
    advice: `run \`tickline-ingestor provision\`, let the user describe and read ${topic}, or look at kafka.topicPrefix`,
  };
}

function topicCheck(
  { name, partitions }: ClusterTopic,
  settings: ReadonlyMap<string, string> | null,
  usualPartitions: number,
  expected: ExpectedTopics,
): Check {
  const what = `topic ${name}`;
  const leaderless = partitions.filter(({ leader }) => leader < 0).map(({ partition }) => partition);
  if (leaderless.length > 0) {
    return {
      state: 'fail',
      what,
      detail: `without a leader: ${leaderless.length === 1 ? 'partition' : 'partitions'} ${leaderless.join(', ')}`,
      advice: 'a broker is down, or all that have these partitions are: start it',
    };
  }
  const problems: string[] = [];
  if (partitions.length !== usualPartitions) {
    const by = expected.partitions === null ? 'as the other topics have' : 'topics.partitions';
    problems.push(`${counted(partitions.length, 'partition')} instead of ${usualPartitions} (${by})`);
  }
  const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
  if (expected.replication !== null && copies !== expected.replication) {
    problems.push(
      `${counted(copies, 'copy', 'copies')} instead of ${expected.replication} (topics.replication)`,
    );
  }
  const lagging = partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length);
  if (lagging.length > 0) problems.push(`copies of ${counted(lagging.length, 'partition')} are not in sync`);
  if (settings !== null) {
    const wanted: Record<string, string> = { ...SETTINGS };
    if (expected.minInsyncReplicas !== null)
      wanted['min.insync.replicas'] = String(expected.minInsyncReplicas);
    for (const [setting, value] of Object.entries(wanted)) {
      const found = settings.get(setting);
      if (found !== undefined && found !== value) problems.push(`${setting} is ${found} instead of ${value}`);
    }
  }
  const shape = `${counted(partitions.length, 'partition')}, ${counted(copies, 'copy', 'copies')}`;
  if (problems.length > 0) {
    return {
      state: 'warn',
      what,
      detail: problems.join('; '),
      advice:
        '`tickline-ingestor provision` tells all that differs; settings are changed with Kafka’s own tools',
    };
  }
  const kept = settings === null ? 'settings not shown to our user' : retentionText(settings);
  return { state: 'ok', what, detail: `${shape}, ${kept}`, advice: null };
}

function retentionText(settings: ReadonlyMap<string, string>): string {
  const ms = Number(settings.get('retention.ms') ?? -1);
  return ms < 0 ? 'kept for ever' : `kept for ${formatSpan(ms)}`;
}

/** Are the newest records new, and is our clock right? */
export async function* checkData(source: TopicSource, freshMs: number, world: World): AsyncGenerator<Check> {
  for (const topic of TOPICS) {
    const name = topicName(source.cluster.topicPrefix, topic);
    try {
      const last = await lastBatches(source, name, world.signal);
      yield dataCheck(
        topic,
        name,
        last.map(({ timestampMs }) => timestampMs),
        freshMs,
        world.now(),
      );
    } catch (error) {
      world.signal.throwIfAborted();
      // A topic that is not there was told before.
      if (error instanceof ConnectionError) yield failure(`data ${name}`, error);
    }
  }
}

function dataCheck(
  topic: Topic,
  name: string,
  times: readonly number[],
  freshMs: number,
  now: number,
): Check {
  const what = `data ${name}`;
  const isTicks = (TICK_CHANNELS as readonly string[]).includes(topic);
  if (times.length === 0) {
    return isTicks
      ? {
          state: 'warn',
          what,
          detail: 'the topic is empty',
          advice: 'is an ingestor running with this topicPrefix?',
        }
      : { state: 'ok', what, detail: 'nothing was written yet', advice: null };
  }
  const newest = times.reduce((a, b) => Math.max(a, b));
  const ageMs = now - newest;
  if (ageMs < -CLOCK_TOLERANCE_MS) {
    return {
      state: 'warn',
      what,
      detail: `the newest record is ${formatSpan(-ageMs)} ahead of this machine’s clock`,
      advice: 'set the clock of this machine, or of the ingestor’s, by NTP',
    };
  }
  const detail = `the newest record is ${formatSpan(Math.max(0, ageMs))} old`;
  if (isTicks && ageMs > freshMs) {
    return {
      state: 'warn',
      what,
      detail,
      advice: 'is an ingestor running? `tickline tail status` may say why not',
    };
  }
  return { state: 'ok', what, detail, advice: null };
}

/** Does the registry answer, with schemas that this build can read? */
export async function* checkRegistry(source: TopicSource, now: () => number): AsyncGenerator<Check> {
  const { registry } = source;
  if (registry === null) {
    yield {
      state: 'fail',
      what: 'registry',
      detail: 'registry.url is not set',
      advice: 'records can be read only with their schemas: give --registry.url, or a profile',
    };
    return;
  }
  try {
    yield {
      state: 'ok',
      what: 'registry',
      detail: `answers, ${counted(await registry.subjectCount(), 'subject')}`,
      advice: null,
    };
    yield clockCheck(await registry.clockAheadMs(now));
    for (const topic of RECORD_TOPICS) yield await subjectCheck(registry, topic, source.cluster.topicPrefix);
  } catch (error) {
    yield failure('registry', error);
  }
}

function clockCheck(aheadMs: number | null): Check {
  const what = 'clock';
  if (aheadMs === null)
    return { state: 'ok', what, detail: 'the registry does not tell its time', advice: null };
  const detail = `this machine and the registry’s differ by ${formatSpan(Math.abs(aheadMs))}`;
  return Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS
    ? { state: 'ok', what, detail, advice: null }
    : {
        state: 'warn',
        what,
        detail,
        advice: 'relative times such as --from -5m go by this clock: set it by NTP',
      };
}

async function subjectCheck(registry: Registry, topic: RecordTopic, prefix: string): Promise<Check> {
  const subject = valueSubject(topicName(prefix, topic));
  const what = `schema ${subject}`;
  const versions = await registry.versions(subject);
  const latest = versions.at(-1);
  if (latest === undefined) {
    return {
      state: 'fail',
      what,
      detail: 'is not registered',
      advice: 'run `tickline-ingestor provision`, or look at registry.url and kafka.topicPrefix',
    };
  }
  const unreadable = versions.find(({ text }) => !isReadable(topic, text));
  if (unreadable !== undefined) {
    return {
      state: 'fail',
      what,
      detail: `version ${unreadable.version} can’t be read by this build`,
      advice:
        'somebody registered a schema of another kind under this name: tickline of the matching release may read it',
    };
  }
  const own = ownVersion(topic, versions);
  const compatibility = await registry.compatibilityOf(subject);
  if (compatibility !== SUBJECT_COMPATIBILITY) {
    return {
      state: 'warn',
      what,
      detail: `compatibility is ${compatibility ?? 'the registry’s own'} instead of ${SUBJECT_COMPATIBILITY}`,
      advice: 'set it on the subject, so that no version can break a reader',
    };
  }
  const known = own === null ? 'none is this build’s, all can be read' : `this build’s is ${own}`;
  return {
    state: 'ok',
    what,
    detail: `versions ${versions.map(({ version }) => version).join(', ')}; ${known}`,
    advice: null,
  };
}

/** The number of the version that is this build's schema; null: none is. */
function ownVersion(topic: RecordTopic, versions: readonly RegisteredSchema[]): number | null {
  const own = JSON.stringify(JSON.parse(schemaText(topic)));
  const found = versions.find(({ text }) => JSON.stringify(JSON.parse(text)) === own);
  return found?.version ?? null;
}

/** Whether values of a schema resolve to this build's (Avro 1.12, "Schema Resolution"). */
function isReadable(topic: RecordTopic, writer: string): boolean {
  try {
    parseAvroSchema(schemaText(topic)).createResolver(parseAvroSchema(writer));
    return true;
  } catch {
    return false;
  }
}

function partitionsOf(topics: readonly ClusterTopic[], name: string): number {
  return topics.find((topic) => topic.name === name)?.partitions.length ?? 0;
}

function mostFrequent(counts: readonly number[]): number {
  const groups = [...Map.groupBy(counts, (count) => count)].sort((a, b) => b[1].length - a[1].length);
  return groups[0]?.[0] ?? 0;
}

function failure(what: string, error: unknown): Check {
  if (!(error instanceof ConnectionError)) throw error;
  return { state: 'fail', what, detail: error.message, advice: `look at ${error.setting}` };
}
