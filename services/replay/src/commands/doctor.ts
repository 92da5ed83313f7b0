import { lookup } from 'node:dns/promises';
import { isIP, connect as netConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { type Command, Option } from 'commander';
import { parseAddress } from '../connection/address.ts';
import { wordsOf } from '../connection/connection-error.ts';
import type { KafkaSettings } from '../connection/connection-settings.ts';
import type { LoadedSettings } from '../connection/load-settings.ts';
import { counted } from '../output/counted.ts';
import { COLOURS, type Colour, wantsColours } from '../output/table.ts';
import { parseSpan, TimeError } from '../output/time.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { aboutText, helpEnd, type Run } from './command.ts';
import { addConnectionOptions, type Options, openSource, settingsFrom } from './connection-options.ts';
import { type Check, type CheckState, checkData, checkRegistry, checkTopics } from './doctor-checks.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { World } from './world.ts';

const HELP = helpEnd(
  [
    'tickline doctor',
    'tickline doctor --config /etc/tickline/ingestor.yaml',
    'tickline doctor --json | jq ".checks[] | select(.state != \\"ok\\")"',
  ],
  ['done', 'found', 'usage'],
);

const ABOUT = aboutText(
  "Looks whether this machine can reach brokers and registry, and whether topics, their settings, schemas and data are as they should be. Each line is ok, warn or fail, with what to do. With --config partitions and copies are compared with the ingestor's configuration.",
);

const CONNECT_TIMEOUT_MS = 5_000;

/** `tickline doctor`. */
export function doctorCommand(program: Command, run: Run): void {
  const command = program
    .command('doctor')
    .summary('is everything reachable, and as it should be; what to do about it')
    .description(ABOUT)
    .option('--fresh <span>', 'how old the last trade and quote may be', '1m')
    .addOption(new Option('--json', 'one JSON document'));
  addConnectionOptions(command)
    .addHelpText('after', HELP)
    .action((options: Options) => run((world) => doctor(options, world)));
}

async function doctor(options: Options, world: World): Promise<ExitCode> {
  const freshMs = freshOf(options);
  const settings = settingsFrom(options, world.env);
  const isJson = options.json === true;
  const hasColours = wantsColours(world.stdout.isTTY, world.env);
  const checks: Check[] = [];
  for await (const check of allChecks(settings, freshMs, world)) {
    world.signal.throwIfAborted();
    checks.push(check);
    if (!isJson) await world.stdout.write(lineOf(check, hasColours));
  }
  const failed = checks.filter(({ state }) => state === 'fail').length;
  const warned = checks.filter(({ state }) => state === 'warn').length;
  await world.stdout.write(
    isJson
      ? `${JSON.stringify({ ok: failed === 0, failed, warned, checks })}\n`
      : `${checks.length - failed - warned} ok, ${counted(warned, 'warning')}, ${counted(failed, 'failure')}\n`,
  );
  return failed === 0 ? EXIT.done : EXIT.found;
}

function freshOf(options: Options): number {
  try {
    return parseSpan(String(options.fresh));
  } catch (error) {
    if (error instanceof TimeError) throw new TimeError(`--fresh ${error.message}`);
    throw error;
  }
}

const STATE_COLOURS: Readonly<Record<CheckState, Colour>> = { ok: 'green', warn: 'yellow', fail: 'red' };

function lineOf({ state, what, detail, advice }: Check, hasColours: boolean): string {
  const word = state.padEnd(4);
  const shown = hasColours ? `\u001b[${COLOURS[STATE_COLOURS[state]]}m${word}\u001b[0m` : word;
  return `${shown}  ${what}: ${detail}${advice === null ? '' : `\n      → ${advice}`}\n`;
}

/** Each check as soon as it is made; what rests on one that failed is left out. */
async function* allChecks(settings: LoadedSettings, freshMs: number, world: World): AsyncGenerator<Check> {
  const source = openSource(settings, world.signal);
  try {
    let reached = 0;
    for (const address of settings.kafka.brokers) {
      let isReached = true;
      for await (const check of addressChecks(address, settings.kafka, source, world.signal)) {
        yield check;
        isReached &&= check.state !== 'fail';
      }
      if (isReached) reached++;
    }
    if (reached > 0) yield* clusterChecks(source, settings, freshMs, world);
    yield* checkRegistry(source, world.now);
  } finally {
    await source.close();
  }
}

async function* clusterChecks(
  source: TopicSource,
  settings: LoadedSettings,
  freshMs: number,
  world: World,
): AsyncGenerator<Check> {
  const nodes = await attempt('cluster', 'metadata', () => source.cluster.brokers());
  yield nodes.check ??
    ok(
      'metadata',
      `${counted(nodes.value.length, 'broker')}: ${nodes.value.map(({ address }) => address).join(', ')}`,
    );
  if (nodes.check !== null) return;
  for (const { nodeId, address } of nodes.value) {
    if (settings.kafka.brokers.includes(address)) continue;
    const { check } = await attempt(
      'what the broker advertises must be reachable from here: look at its advertised.listeners, and at firewalls',
      `broker ${nodeId}`,
      () => source.cluster.tryAddress(address),
    );
    yield check ?? ok(`broker ${nodeId}`, `${address} answers`);
  }
  yield* checkTopics(source, settings.expectedTopics);
  yield* checkData(source, freshMs, world);
}

async function* addressChecks(
  address: string,
  kafka: KafkaSettings,
  source: TopicSource,
  signal: AbortSignal,
): AsyncGenerator<Check> {
  const { host, port } = parseAddress(address);
  if (isIP(host) === 0) {
    const found = await attempt(
      `the name ${host} (kafka.brokers) has no address here: look for a typing error, at DNS, or at the VPN`,
      `DNS ${host}`,
      () => lookup(host, { all: true }),
    );
    yield found.check ?? ok(`DNS ${host}`, found.value.map((each) => each.address).join(', '));
    if (found.check !== null) return;
  }
  const tcp = await attempt(
    `nothing answers at ${address} (kafka.brokers): is the broker up, the port right, a firewall between?`,
    `TCP ${address}`,
    () => tcpConnect(host, port, signal),
  );
  yield tcp.check ?? ok(`TCP ${address}`, 'connected');
  if (tcp.check !== null) return;
  if (kafka.tls !== null) {
    const tls = await attempt(
      'look at kafka.ssl.caFile (who signed the broker’s certificate?), at its names, and whether this port speaks TLS',
      `TLS ${address}`,
      () => tlsHandshake(host, port, kafka, signal),
    );
    yield tls.check ?? ok(`TLS ${address}`, tls.value);
    if (tls.check !== null) return;
  }
  const login =
    kafka.sasl === null ? 'no login' : `login as ${kafka.sasl.username} by ${kafka.sasl.mechanism}`;
  const kafkaCheck = await attempt(
    kafka.sasl === null
      ? 'does this port want TLS (kafka.ssl.enabled) or a login (kafka.sasl)?'
      : 'look at kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.passwordFile',
    `Kafka ${address}`,
    () => source.cluster.tryAddress(address),
  );
  yield kafkaCheck.check ?? ok(`Kafka ${address}`, `speaks our versions, ${login}`);
}

function ok(what: string, detail: string): Check {
  return { state: 'ok', what, detail, advice: null };
}

/** What an action gives, or the check that says why it failed. */
async function attempt<T>(
  advice: string,
  what: string,
  action: () => Promise<T>,
): Promise<{ check: null; value: T } | { check: Check; value: null }> {
  try {
    return { check: null, value: await action() };
  } catch (error) {
    return { check: { state: 'fail', what, detail: wordsOf(error), advice }, value: null };
  }
}

function tcpConnect(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = netConnect({ host, port, timeout: CONNECT_TIMEOUT_MS, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () =>
      socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
    );
    socket.once('error', reject);
  });
}

function tlsHandshake(
  host: string,
  port: number,
  { tls }: KafkaSettings,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host,
      port,
      timeout: CONNECT_TIMEOUT_MS,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(tls?.ca ? { ca: tls.ca } : {}),
      ...(tls?.cert ? { cert: tls.cert } : {}),
      ...(tls?.key ? { key: tls.key } : {}),
      ...(tls?.passphrase ? { passphrase: tls.passphrase } : {}),
    });
    signal.addEventListener('abort', () => socket.destroy(new Error('interrupted')));
    socket.once('secureConnect', () => {
      const until = socket.getPeerCertificate().valid_to;
      const protocol = socket.getProtocol() ?? 'TLS';
      socket.destroy();
      resolve(`${protocol}, certificate valid until ${until}`);
    });
    socket.once('timeout', () =>
      socket.destroy(new Error(`no handshake within ${CONNECT_TIMEOUT_MS / 1000} s`)),
    );
    socket.once('error', reject);
  });
}
