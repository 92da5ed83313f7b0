import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadSections, readCommandLine } from '../../services/ingestor/src/config.ts';
import type { KafkaSink } from '../../services/ingestor/src/sinks/kafka/kafka-sink.ts';
import { createKafkaSink } from '../../services/ingestor/src/sinks/kafka/settings.ts';
import { TickLoad } from '../../services/ingestor/src/sinks/kafka/testing/tick-load.ts';
import { readTopic } from '../../services/ingestor/src/sinks/kafka/testing/topic-reader.ts';
import { SILENT_LOG } from '../../services/ingestor/src/sinks/sink-log.ts';
import { type Simulator, startSimulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import {
  allow,
  PASSWORDS,
  provisionRights,
  SecretFolder,
  type SecuredServers,
  type Settings,
  securedFlags,
  startSecuredServers,
  topicAcl,
  withdraw,
} from './secured-servers.ts';

let servers: SecuredServers;
let folder: SecretFolder;
let simulator: Simulator;
const sinks: KafkaSink[] = [];
const pods: Pod[] = [];

const PREFIX = 'access.';

beforeAll(async () => {
  servers = await startSecuredServers();
  folder = new SecretFolder();
  simulator = await startSimulator({ exchange: 'binance', symbols: 5, rate: 500, start: 'manual' });
  await allow(servers.admin, provisionRights(PREFIX));
  await provision(podOptions(folder.login('provisioner')));
});

afterEach(async () => {
  for (const pod of pods.splice(0)) pod.process.kill();
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
});

afterAll(async () => {
  await simulator?.close();
  await servers?.stop();
  folder?.remove();
});

function podOptions(changes: Settings = {}): PodOptions {
  const { kafka, registry } = servers;
  const secured = securedFlags(servers, folder, PREFIX, changes);
  // The pod's own flags have these three already.
  const flags = secured.filter((flag) => !/^--(kafka\.(brokers|topicPrefix)|registry\.url)=/.test(flag));
  return {
    stack: { brokers: [kafka.login], registryUrl: registry.tlsUrl },
    simulators: [simulator],
    prefix: PREFIX,
    flags,
  };
}

const listener = { full() {}, drained() {}, lost() {}, repeated() {} };

/** A sink as the configuration makes it; `learned` gets what it reads of secrets. */
function sinkFor(changes: Settings, learned: string[] = []): KafkaSink {
  const line = readCommandLine(securedFlags(servers, folder, PREFIX, changes));
  const { kafka } = loadSections(line, {}, ['kafka']);
  const sink = createKafkaSink(kafka, 0, { log: SILENT_LOG, learnSecret: (secret) => learned.push(secret) });
  sinks.push(sink);
  return sink;
}

async function recordsOf(topic: string): Promise<number> {
  return (await readTopic([servers.kafka.open], `${PREFIX}${topic}`)).length;
}

describe('ticks get through', () => {
  const noLogin = {
    'kafka.sasl.mechanism': null,
    'kafka.sasl.username': null,
    'kafka.sasl.passwordFile': null,
  };
  it.each<[string, () => Settings]>([
    ['TLS and SASL PLAIN', () => ({ 'kafka.sasl.mechanism': 'plain' })],
    ['TLS and SCRAM-SHA-256', () => ({ 'kafka.sasl.mechanism': 'scram-sha-256' })],
    ['TLS and SCRAM-SHA-512', () => ({ 'kafka.sasl.mechanism': 'scram-sha-512' })],
    [
      'a certificate of our own (mTLS)',
      () => ({
        ...noLogin,
        'kafka.brokers': servers.kafka.mutual,
        'kafka.ssl.certFile': servers.kafka.client.cert,
        'kafka.ssl.keyFile': servers.kafka.client.key,
      }),
    ],
    [
      'a certificate whose key is encrypted',
      () => ({
        ...noLogin,
        'kafka.brokers': servers.kafka.mutual,
        'kafka.ssl.certFile': servers.kafka.clientWithPassphrase.cert,
        'kafka.ssl.keyFile': servers.kafka.clientWithPassphrase.key,
        'kafka.ssl.keyPassphraseFile': folder.file('passphrase', PASSWORDS.passphrase),
      }),
    ],
  ])('by %s', async (_what, changes) => {
    const acls = [topicAcl('pod', 'WRITE', PREFIX), topicAcl('CN=client', 'WRITE', PREFIX)];
    await allow(servers.admin, acls);
    const before = await recordsOf('trades');
    const sink = sinkFor(changes());
    await sink.start(listener);
    new TickLoad(sink, 10).give(200);
    expect(await sink.flush(20_000)).toBe(true);
    expect(sink.status()).toMatchObject({ healthy: true, detail: null, acknowledged: 200, dropped: 0 });
    expect((await recordsOf('trades')) - before).toBe(200);
    await withdraw(servers.admin, acls);
  });
});

describe('files that change under a running pod', () => {
  it('are used by the next connection, and what they hold is kept out of the log', async () => {
    const acls = (['pod', 'provisioner'] as const).map((user) => topicAcl(user, 'WRITE', PREFIX));
    await allow(servers.admin, acls);
    const [usernameFile, passwordFile] = [folder.file('user', 'pod'), folder.file('password', PASSWORDS.pod)];
    const learned: string[] = [];
    const sink = sinkFor(
      {
        'kafka.sasl.username': null,
        'kafka.sasl.usernameFile': usernameFile,
        'kafka.sasl.passwordFile': passwordFile,
      },
      learned,
    );
    await sink.start(listener);
    const load = new TickLoad(sink, 10);
    load.give(100);
    expect(await sink.flush(20_000)).toBe(true);

    folder.file('user', 'provisioner\n');
    folder.file('password', `${PASSWORDS.provisioner}\n`);
    await withdraw(servers.admin, acls.slice(0, 1));
    load.give(100);
    await eventually('the connection by the old login writes no more', () =>
      sink.status().detail?.includes('TOPIC_AUTHORIZATION_FAILED'),
    );
    await servers.admin.disconnect();
    await servers.kafka.server.stop('SIGKILL');
    await servers.kafka.server.start();
    await servers.admin.connect();
    expect(await sink.flush(60_000)).toBe(true);
    expect(sink.status()).toMatchObject({ acknowledged: 200, dropped: 0 });
    expect(new Set(learned)).toEqual(new Set([PASSWORDS.pod, PASSWORDS.provisioner]));
    await withdraw(servers.admin, acls.slice(1));
  });
});

describe('a pod', () => {
  it('needs the right to write its topics and no other; one that is taken is told, and costs nothing once it is back', async () => {
    const topics = ['trades', 'quotes', 'status', 'invalid'];
    const rights = topics.map((topic) => topicAcl('pod', 'WRITE', `${PREFIX}${topic}`));
    await allow(servers.admin, rights);
    const before = await recordsOf('trades');
    const pod = await startPod(podOptions());
    pods.push(pod);
    await pod.until('it is ready', ({ ready }) => ready);
    simulator.startMarket();
    await pod.until('ticks are acknowledged', ({ sinks: [kafka] }) => kafka!.acknowledged > 500);

    await withdraw(servers.admin, rights.slice(0, 1));
    const status = await pod.until(
      'the status names what is lacking',
      ({ sinks: [kafka] }) => kafka!.detail?.includes('TOPIC_AUTHORIZATION_FAILED') === true,
    );
    expect(status.sinks[0]).toMatchObject({ healthy: false, dropped: 0 });
    expect(status.sinks[0]!.detail).toMatch(
      /access\.trades-\d .*allow our user \(of kafka\.sasl, .*\) Write there/,
    );
    expect(status.ready).toBe(true);
    const metrics = await (await fetch(`${pod.metricsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^tickline_\w+\{[^}]*TOPIC_AUTHORIZATION_FAILED[^}]*\} [1-9]/m);
    const told = pod.log().filter(({ event }) => event === 'partition-set-aside');
    expect(new Set(told.map(({ level }) => level))).toEqual(new Set(['error']));
    // One line for each partition, however often it is tried.
    expect(told.length).toBeLessThanOrEqual(2);
    expect(told[0]!.message).toMatch(
      /access\.trades-\d .*Add an ACL that allows our user \(of kafka\.sasl, .*\) Write/,
    );
    expect(told[0]).toMatchObject({ reason: 'TOPIC_AUTHORIZATION_FAILED', sink: 'kafka' });
    const quotes = status.sinks[0]!.acknowledged;
    await pod.until('the other topics go on', ({ sinks: [kafka] }) => kafka!.acknowledged > quotes + 300);

    await allow(servers.admin, rights.slice(0, 1));
    await pod.until('it is written again', ({ sinks: [kafka] }) => kafka!.detail === null);
    simulator.stopMarket();
    expect(await pod.stop()).toBe(0);
    const trades = [...simulator.ledger.entries()].filter(({ channel }) => channel === 'trades').length;
    expect((await recordsOf('trades')) - before).toBe(trades);
    await withdraw(servers.admin, rights);
  });
});
