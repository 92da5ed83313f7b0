import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/stack/free-port.ts';
import { installKafka } from '../../scripts/stack/install.ts';
import { javaCommand } from '../../scripts/stack/java.ts';
import {
  aliveBrokers,
  brokerArguments,
  brokerProperties,
  clusterIdIn,
  prepareBroker,
} from '../../scripts/stack/kafka.ts';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { processServer, type Server } from '../../scripts/stack/server.ts';
import { waitUntil } from '../../scripts/stack/wait-until.ts';
import type { KafkaSasl } from '../../services/ingestor/src/sinks/kafka/access.ts';
import { KafkaSink } from '../../services/ingestor/src/sinks/kafka/kafka-sink.ts';
import type { KafkaSinkOptions } from '../../services/ingestor/src/sinks/kafka/options.ts';
import { TickLoad } from '../../services/ingestor/src/sinks/kafka/testing/tick-load.ts';
import { readTopic } from '../../services/ingestor/src/sinks/kafka/testing/topic-reader.ts';
import { SILENT_LOG } from '../../services/ingestor/src/sinks/sink-log.ts';

const PASSWORD = 'correct horse';
const STORE_PASSWORD = 'changeit';

let folder: string;
let broker: Server;
/** Without login, for the test's own work. */
let plain: string;
/** With TLS and login. */
let guarded: string;
let certificate: Buffer;
let admin: kafkajs.Admin;
const open: KafkaSink[] = [];

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

function acl(topic: string, operation: number) {
  return {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:writer',
    host: '*',
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  };
}

beforeAll(async () => {
  await installKafka(() => undefined);
  mkdirSync(ticklineFolder, { recursive: true });
  folder = mkdtempSync(join(ticklineFolder, 'login-'));
  const keyStore = join(folder, 'broker.p12');
  const java = javaCommand();
  const keytool = java.includes('/') ? join(dirname(java), 'keytool') : 'keytool';
  const store = [
    '-keystore',
    keyStore,
    '-storetype',
    'PKCS12',
    '-storepass',
    STORE_PASSWORD,
    '-alias',
    'broker',
  ];
  const made = ['-keyalg', 'EC', '-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-validity', '2'];
  execFileSync(keytool, ['-genkeypair', ...made, ...store], { stdio: 'pipe' });
  certificate = execFileSync(keytool, ['-exportcert', '-rfc', ...store], { stdio: 'pipe' });

  const ports = { client: await freePort(), controller: await freePort() };
  const login = await freePort();
  plain = `127.0.0.1:${ports.client}`;
  guarded = `127.0.0.1:${login}`;
  broker = processServer({
    name: 'kafka-login',
    command: java,
    args: brokerArguments(folder, 384),
    cwd: folder,
    logFile: join(folder, 'server.log'),
    timeoutMs: 120_000,
    signal: undefined,
    onStarted: () => undefined,
    prepare: () =>
      prepareBroker(
        folder,
        clusterIdIn(folder),
        brokerProperties(1, [ports], join(folder, 'data'), {
          listeners: `PLAINTEXT://${plain},LOGIN://${guarded},CONTROLLER://127.0.0.1:${ports.controller}`,
          'advertised.listeners': `PLAINTEXT://${plain},LOGIN://${guarded}`,
          'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL',
          'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
          'listener.name.login.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_writer="${PASSWORD}";`,
          'listener.name.login.ssl.keystore.location': keyStore,
          'listener.name.login.ssl.keystore.type': 'PKCS12',
          'listener.name.login.ssl.keystore.password': STORE_PASSWORD,
          // A session of the login lasts so long: the sink must log in again while it runs.
          'connections.max.reauth.ms': '15000',
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS',
        }),
      ),
    answers: async () => (await aliveBrokers(plain)).includes(1),
  });
  await broker.start();
  admin = new kafkajs.Kafka({ brokers: [plain], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = ['trades', 'quotes', 'status', 'invalid'].map((topic) => `md.${topic}`);
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map((topic) => ({ topic, numPartitions: 2, replicationFactor: 1 })),
  });
  await admin.createAcls({
    acl: topics.flatMap((topic) => [
      acl(topic, AclOperationTypes.DESCRIBE),
      acl(topic, AclOperationTypes.WRITE),
    ]),
  });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((sink) => sink.close()));
});

afterAll(async () => {
  await admin.disconnect();
  await broker.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function sinkFor(given: Partial<KafkaSinkOptions> = {}): KafkaSink {
  const sink = new KafkaSink({
    brokers: [guarded],
    clientId: 'kafka-sink-login-test',
    access: withLogin({}),
    topicPrefix: 'md.',
    log: SILENT_LOG,
    ...given,
  });
  open.push(sink);
  return sink;
}

/** Access by PLAIN, and what differs from it. */
function withLogin(given: Partial<KafkaSasl>): KafkaSinkOptions['access'] {
  const sasl = { mechanism: 'plain' as const, username: 'writer', password: PASSWORD, ...given };
  return () => ({ ssl: { ca: certificate }, sasl });
}

const listener = { full() {}, drained() {}, lost() {}, repeated() {} };

describe('TLS and login', () => {
  it('start with the right ones; a topic that may no longer be written is set aside and the rest goes on', async () => {
    const sink = sinkFor();
    await sink.start(listener);
    await admin.deleteAcls({ filters: [acl('md.quotes', AclOperationTypes.WRITE)] });
    const trades = new TickLoad(sink, 10);
    const quotes = new TickLoad(sink, 10, 'quotes');
    trades.give(100);
    quotes.give(100);
    await waitUntil(async () => sink.status().detail?.includes('TOPIC_AUTHORIZATION_FAILED') || undefined, {
      what: 'the quotes to be set aside',
      timeoutMs: 20_000,
    });
    trades.give(100);
    await waitUntil(async () => sink.counters.records === 200 || undefined, {
      what: 'the trades to be acknowledged',
      timeoutMs: 20_000,
    });
    await admin.createAcls({ acl: [acl('md.quotes', AclOperationTypes.WRITE)] });
    expect(await sink.flush(60_000)).toBe(true);
    expect(sink.status()).toMatchObject({ healthy: true, detail: null, dropped: 0 });
    expect(await readTopic([plain], 'md.trades')).toHaveLength(200);
    expect(await readTopic([plain], 'md.quotes')).toHaveLength(100);
  });

  it('log in again before the session ends, without losing a record', async () => {
    const sink = sinkFor();
    await sink.start(listener);
    const load = new TickLoad(sink, 10, 'status');
    load.start(500);
    // kafkajs logs in again 10 s before a session of 15 s ends: every 5 s here.
    const goal = 500 * 20;
    await waitUntil(async () => sink.counters.records >= goal || undefined, {
      what: `${goal} records to be acknowledged`,
      timeoutMs: 60_000,
    });
    load.stop();
    expect(await sink.flush(30_000)).toBe(true);
    expect([load.refused, sink.counters.retries]).toEqual([0, 0]);
    expect(await readTopic([plain], 'md.status')).toHaveLength(load.total);
  });

  it('refuse a wrong password, naming the setting and not the password', async () => {
    const sink = sinkFor({ access: withLogin({ password: 'wrong one' }) });
    const refused = await sink.start(listener).catch((error: Error) => error.message);
    expect(refused).toMatch(/kafka\.sasl/);
    expect(refused).not.toContain('wrong one');
  });

  it('refuse a mechanism that the broker does not have', async () => {
    const sink = sinkFor({ access: withLogin({ mechanism: 'scram-sha-512' }) });
    await expect(sink.start(listener)).rejects.toThrow(/kafka\.sasl\.mechanism.* it offers PLAIN$/);
  });

  it('refuse a certificate that nobody vouches for', async () => {
    const sink = sinkFor({ access: () => ({ ...withLogin({})(), ssl: {} }) });
    await expect(sink.start(listener)).rejects.toThrow(/kafka\.ssl/);
  });
});
