import { type Admin, Kafka } from 'kafkajs';
import { kafkaClientConfig } from '../config/kafka-client.ts';
import { ConfigError, configHelp, type FleetConfig, loadSections, readCommandLine } from '../config.ts';
import {
  RegistryClient,
  RegistryLoginError,
  RegistryRefusedError,
  RegistryTlsError,
  SUBJECT_COMPATIBILITY,
} from '../registry-client.ts';
import { type CommandIo, EXIT_INTERRUPTED, EXIT_REFUSED } from './command-io.ts';
import { KafkaRefusedError, reachKafka, withRights } from './kafka-access.ts';
import { inspectSubject, wantedSubjects } from './provision-subjects.ts';
import { createTopics, type Drift, inspectTopics, wantedTopics } from './provision-topics.ts';

/** Exit codes of `provision`. */
export const PROVISION_EXIT = {
  /** All is as it should be (with --dry-run: nothing is to be done). */
  right: 0,
  /** Kafka or the registry can't be reached, or failed. */
  failed: 1,
  /** The configuration is refused, by us, or by Kafka or the registry: login, certificate or right. */
  refused: EXIT_REFUSED,
  /** Something exists and is not as the configuration has it; it was left as it is. */
  drift: 3,
  /** Only with --dry-run: something is missing and would be made. */
  pending: 4,
} as const;

const HELP = `tickline-ingestor provision: makes the topics and schema subjects that are missing, and reports where existing ones differ.
It never alters or deletes what exists.

  --dry-run             only say what would be done
  --skip-topics         subjects alone, where others make the topics: Kafka is not asked
  --register-versions   where a subject has other versions of a schema only, register ours as a new one (the
                        registry refuses it unless it is ${SUBJECT_COMPATIBILITY} compatible)
  --json                the report as one JSON document

Exit codes: 0 all is as it should be; 1 Kafka or the registry failed; 2 the configuration is refused (also a
login, a certificate, a right that is lacking); 3 something differs and was left; 4 (--dry-run) something is
missing.

`;

/** What became of one topic or subject. */
export interface ProvisionedItem {
  readonly kind: 'topic' | 'subject';
  readonly name: string;
  readonly state: 'exists' | 'created' | 'would-create' | 'drift' | 'refused';
  /** The registry's id of a subject's schema. */
  readonly id: number | null;
  readonly drift: readonly Drift[];
  /** Why it was refused. */
  readonly reason: string | null;
}

type ProvisionConfig = Pick<FleetConfig, 'kafka' | 'topics' | 'registry'>;

interface Options {
  readonly isDryRun: boolean;
  readonly skipsTopics: boolean;
  readonly registersVersions: boolean;
}

/** `tickline-ingestor provision`. Resolves with one of {@link PROVISION_EXIT}. */
export async function provisionCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const line = readCommandLine(argv, {
    'dry-run': 'switch',
    'skip-topics': 'switch',
    'register-versions': 'switch',
    json: 'switch',
  });
  if (line.help) {
    io.stdout.write(`${HELP}${configHelp()}`);
    return PROVISION_EXIT.right;
  }
  let config: ProvisionConfig;
  try {
    config = loadSections(line, io.env, ['kafka', 'topics', 'registry']);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return PROVISION_EXIT.refused;
  }
  const isDryRun = line.flags.has('dry-run');
  const items: ProvisionedItem[] = [];
  let failure: string | null = null;
  let isRefused = false;
  try {
    const options = {
      isDryRun,
      skipsTopics: line.flags.has('skip-topics'),
      registersVersions: line.flags.has('register-versions'),
    };
    for await (const item of provisioned(config, options, io.signal)) {
      items.push(item);
      if (!line.flags.has('json')) io.stdout.write(`${itemText(item)}\n`);
    }
  } catch (error) {
    if (io.signal.aborted) return EXIT_INTERRUPTED;
    failure = error instanceof Error ? error.message : String(error);
    isRefused = REFUSALS.some((refusal) => error instanceof refusal);
    io.stderr.write(`${failure}\n`);
  }
  const code =
    failure === null ? exitCodeOf(items) : isRefused ? PROVISION_EXIT.refused : PROVISION_EXIT.failed;
  if (line.flags.has('json')) {
    io.stdout.write(
      `${JSON.stringify({ ok: code === 0, dryRun: isDryRun, exitCode: code, items, failure })}\n`,
    );
  } else if (failure === null) {
    io.stdout.write(`${summaryOf(code)}\n`);
  }
  return code;
}

/** Trying again does not help. */
const REFUSALS = [KafkaRefusedError, RegistryLoginError, RegistryTlsError] as const;

function exitCodeOf(items: readonly ProvisionedItem[]): number {
  const has = (...states: ProvisionedItem['state'][]): boolean =>
    items.some(({ state }) => states.includes(state));
  if (has('drift', 'refused')) return PROVISION_EXIT.drift;
  return has('would-create') ? PROVISION_EXIT.pending : PROVISION_EXIT.right;
}

function summaryOf(code: number): string {
  if (code === PROVISION_EXIT.drift) {
    return 'what differs was left as it is: change the configuration, or what exists, by hand';
  }
  return code === PROVISION_EXIT.pending
    ? 'something is missing: run it without --dry-run'
    : 'all is as it should be';
}

function itemText({ kind, name, state, id, drift, reason }: ProvisionedItem): string {
  const numbered = id === null ? '' : ` (id ${id})`;
  const lines = [
    `${kind} ${name}${numbered}: ${state.replace('-', ' ')}${reason === null ? '' : `: ${reason}`}`,
  ];
  for (const { what, wanted, found } of drift) lines.push(`  ${what} should be ${wanted}, is ${found}`);
  if (kind === 'subject' && state === 'drift' && drift.some(({ what }) => what === 'schema')) {
    lines.push('  --register-versions registers ours as a new version');
  }
  return lines.join('\n');
}

async function* provisioned(
  config: ProvisionConfig,
  options: Options,
  signal: AbortSignal,
): AsyncGenerator<ProvisionedItem> {
  const client = new RegistryClient(config.registry, signal);
  try {
    if (!options.skipsTopics) yield* provisionedTopics(config, options, signal);
    yield* provisionedSubjects(client, config, options);
  } finally {
    client.close();
  }
}

async function* provisionedTopics(
  config: ProvisionConfig,
  options: Options,
  signal: AbortSignal,
): AsyncGenerator<ProvisionedItem> {
  await reachKafka(config.kafka, signal);
  // Few and short retries: a person waits.
  const admin = new Kafka({
    ...kafkaClientConfig(config.kafka),
    retry: { retries: 4, initialRetryTime: 200 },
  }).admin();
  try {
    await admin.connect();
    yield* topicsOf(admin, config, options, signal);
  } catch (error) {
    const { topicPrefix } = config.kafka;
    const rights = `Create, Describe and DescribeConfigs on the topics with the prefix ${topicPrefix} (kafka.topicPrefix)`;
    throw withRights(error, config.kafka, rights);
  } finally {
    await admin.disconnect();
  }
}

async function* topicsOf(
  admin: Admin,
  { topics, kafka }: ProvisionConfig,
  { isDryRun }: Options,
  signal: AbortSignal,
): AsyncGenerator<ProvisionedItem> {
  const { brokers } = await admin.describeCluster();
  const wanted = wantedTopics(topics, kafka.topicPrefix, brokers.length);
  const found = await inspectTopics(admin, wanted, kafka.requestTimeoutMs, signal);
  const missing = wanted.filter((_, at) => found[at] === null);
  if (!isDryRun) await createTopics(admin, missing, kafka.requestTimeoutMs, signal);
  for (const [at, { name }] of wanted.entries()) {
    const drift = found[at] ?? null;
    const state =
      drift === null ? (isDryRun ? 'would-create' : 'created') : drift.length > 0 ? 'drift' : 'exists';
    yield { kind: 'topic', name, state, id: null, drift: drift ?? [], reason: null };
  }
}

async function* provisionedSubjects(
  client: RegistryClient,
  { kafka }: ProvisionConfig,
  { isDryRun, registersVersions }: Options,
): AsyncGenerator<ProvisionedItem> {
  for (const wanted of wantedSubjects(kafka.topicPrefix)) {
    const { name } = wanted;
    const found = await inspectSubject(client, wanted);
    // A new version goes in only where the registry will judge it by the right rule.
    const isVersionOnly = found.drift.length === 1 && found.drift[0]?.what === 'schema';
    const isToRegister = found.latestVersion === null || (registersVersions && isVersionOnly);
    if (!isToRegister) {
      const state = found.drift.length > 0 ? 'drift' : 'exists';
      yield { kind: 'subject', name, state, id: found.id, drift: found.drift, reason: null };
      continue;
    }
    if (isDryRun) {
      yield { kind: 'subject', name, state: 'would-create', id: null, drift: [], reason: null };
      continue;
    }
    try {
      const id = await client.register(name, wanted.schema);
      yield { kind: 'subject', name, state: 'created', id, drift: [], reason: null };
    } catch (error) {
      if (!(error instanceof RegistryRefusedError) || error instanceof RegistryLoginError) throw error;
      yield { kind: 'subject', name, state: 'refused', id: null, drift: found.drift, reason: error.message };
    }
  }
}
