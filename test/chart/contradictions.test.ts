import { describe, expect, it } from 'vitest';
import { helmTemplate } from './helm.ts';
import { ciFile } from './rendered.ts';

/** Values over those of ci/minimal-values.yaml, and the sentences that refuse them: all of them, and no other. */
type Contradiction = readonly [values: Readonly<Record<string, unknown>>, ...sentences: string[]];

const pin = (unit: string, shard: number) => ({ unit, shard });
const alone = (shard: number, ...units: string[]) => ({ shard, units });
const secret = { name: 'login', key: 'password' };
const REDIS = { 'config.redis.streams.enabled': true, 'config.redis.addresses': ['127.0.0.1:6379'] };
const GRPC = { 'config.grpc.enabled': true };

const SHARDS: readonly Contradiction[] = [
  [
    { 'shards.pins': [pin('okx:BTC-USDT', 1)] },
    'shards.pins[0] pins okx:BTC-USDT to shard 1, but shards.count is 1: shards are 0 to 0',
  ],
  [
    { 'shards.count': 2, 'shards.exclusive': [alone(2, 'okx:BTC-USDT')] },
    'shards.exclusive[0] names shard 2, but shards.count is 2: shards are 0 to 1',
  ],
  [
    { 'shards.count': 2, 'shards.pins': [pin('okx:BTC-USDT', 0), pin('okx:BTC-USDT', 1)] },
    'shards.pins[1] names okx:BTC-USDT a second time (shards.pins[0] has it): keep one',
  ],
  [
    {
      'shards.count': 2,
      'shards.exclusive': [alone(1, 'okx:BTC-USDT')],
      'shards.pins': [pin('okx:ETH-USDT', 1)],
    },
    'shards.pins[0] pins okx:ETH-USDT to shard 1, which is exclusive: name the unit in shards.exclusive instead',
  ],
  [
    { 'shards.exclusive': [alone(0, 'okx:BTC-USDT')] },
    'shards.exclusive leaves no shard for all other units: shards.count is 1',
  ],
  [
    { 'shards.previousPins': [] },
    'shards.previousPins and shards.previousExclusive need shards.previousCount: set that to shards.count if only the pins change',
  ],
  [
    { 'shards.previousCount': 1 },
    'shards.previousCount is 1, as shards.count is, and nothing else changes: remove it, or give shards.previousPins or shards.previousExclusive',
  ],
  [
    { 'shards.overrides': { '3': { priorityClassName: 'high' } } },
    'shards.overrides names shard 3, but there are 1: shards are 0 to 0',
  ],
  [
    { 'workload.kind': 'StatefulSet', 'shards.overrides': { '0': { priorityClassName: 'high' } } },
    'shards.overrides needs workload.kind Deployment: the pods of a StatefulSet are all alike',
  ],
];

const SECRETS: readonly Contradiction[] = [
  [
    {
      'config.kafka.sasl': { mechanism: 'scram-sha-512', username: 'tickline' },
      'secrets.kafka.password': { name: 'login', key: '' },
    },
    'secrets.kafka.password names the Secret login without a key: say which, such as password',
  ],
  [
    { 'config.kafka.ssl.enabled': true, 'secrets.kafka.ca': { name: '', key: 'ca.crt' } },
    'secrets.kafka.ca has the key ca.crt, but no Secret: give its name',
  ],
  [
    { 'config.kafka.sasl': { mechanism: 'scram-sha-512' } },
    'config.kafka.sasl.username is not set (nor secrets.kafka.username): scram-sha-512 needs it',
    'secrets.kafka.password is not set: scram-sha-512 needs it',
  ],
  [
    { 'secrets.kafka.password': secret },
    'config.kafka.sasl.mechanism is not set, but a user name or password for Kafka is: name how to log in, such as scram-sha-512',
  ],
  [
    { 'config.kafka.sasl': { mechanism: 'plain', username: 'tickline' }, 'secrets.kafka.password': secret },
    'config.kafka.sasl.mechanism plain would send the password to kafka.kafka unencrypted: set config.kafka.ssl.enabled, use scram-sha-512, or name the host in config.plaintextHosts',
  ],
  [
    {
      'config.kafka.sasl': {
        mechanism: 'scram-sha-512',
        username: 'tickline',
        passwordFile: '/vault/password',
      },
      'secrets.kafka.password': secret,
    },
    'secrets.kafka.password gives what config.kafka.sasl.passwordFile gives, too: keep one',
  ],
  [
    {
      'config.kafka.sasl.mechanism': 'scram-sha-512',
      'secrets.kafka': { username: { name: 'login', key: 'user' }, password: secret },
      'provision.config.kafka.sasl.username': 'admin',
    },
    'in the Job of provision, secrets.kafka.username gives what config.kafka.sasl.username gives, too: take it out there by provision.secrets.kafka.username, {name: "", key: ""}',
  ],
  [
    { 'provision.config.kafka.sasl.mechanism': 'scram-sha-512' },
    'with provision.config: config.kafka.sasl.username is not set (nor secrets.kafka.username): scram-sha-512 needs it',
    'with provision.config: secrets.kafka.password is not set: scram-sha-512 needs it',
  ],
  [
    { 'secrets.kafka.ca': { name: 'cluster-ca', key: 'ca.crt' } },
    'config.kafka.ssl.enabled is not true, but certificates for Kafka are given: set it',
  ],
  [
    { 'config.kafka.ssl.enabled': true, 'secrets.kafka.cert': { name: 'user', key: 'user.crt' } },
    'secrets.kafka.key is not set: a certificate and its key go together',
  ],
  [
    { 'config.registry.username': 'tickline' },
    'secrets.registry.password is not set, but a user name for the registry is: name the Secret with the password',
  ],
  [
    { 'secrets.grpc.token': secret },
    'secrets.grpc.token is set, but config.grpc.enabled is false: set that to true, or remove it',
  ],
  [
    { ...GRPC, 'secrets.grpc.token': secret },
    'secrets.grpc.token: tokens would come unencrypted: set config.grpc.tls.enabled, or name "0.0.0.0" in config.plaintextHosts if the network is yours',
  ],
  [
    { 'secrets.redis.password': secret },
    'secrets.redis.password is set, but neither config.redis.streams.enabled nor config.redis.pubsub.enabled is: set one, or remove it',
  ],
  [
    { extraEnv: [{ name: 'TICKLINE_KAFKA_SASL_PASSWORD', value: 'hunter2' }] },
    'extraEnv holds TICKLINE_KAFKA_SASL_PASSWORD as it is, and values are no place for a secret: name a Secret in secrets, or use valueFrom',
  ],
];

const OUTPUTS: readonly Contradiction[] = [
  [
    { 'config.kafka.brokers': [] },
    'config.kafka.brokers is empty: name at least one host:port, or set config.kafka.enabled to false',
  ],
  [
    { 'config.registry': {} },
    "config.registry.url is not set: Avro needs the schema registry's address, such as https://schema-registry:8081",
  ],
  [
    { 'config.kafka.enabled': false },
    'config.kafka.enabled is false and no other output is on: set config.redis.streams.enabled, config.redis.pubsub.enabled or config.grpc.enabled',
  ],
  [
    { 'config.plaintextHosts': [] },
    'config.registry.url (http://schema-registry.kafka:8081) is not encrypted and schema-registry.kafka is another machine: use https://, or name the host in config.plaintextHosts if the network is yours',
  ],
  [
    { 'config.exchanges.binance.endpoints.websocket': 'ws://simulator' },
    'config.exchanges.binance.endpoints.websocket (ws://simulator) is not encrypted and simulator is another machine: use wss://, or name the host in config.plaintextHosts if the network is yours',
  ],
  [
    { ...REDIS, 'config.redis.addresses': ['127.0.0.1:1', '127.0.0.1:2'] },
    'config.redis.addresses names several servers: set config.redis.mode to sentinel or cluster, or name one',
  ],
  [
    { ...REDIS, 'config.redis.mode': 'sentinel' },
    'config.redis.sentinel.master is not set: sentinels are asked for a master by its name',
  ],
  [
    { 'config.redis.streams.format': 'avro' },
    'config.redis.streams.format is set, but config.redis.streams.enabled is false: set that to true, or remove it',
  ],
  [
    { 'config.grpc.maxClients': 5 },
    'config.grpc.maxClients is set, but config.grpc.enabled is false: set that to true, or remove it',
  ],
  [
    { ...GRPC, 'config.grpc.tls.enabled': true },
    'config.grpc.tls.enabled needs secrets.grpc.cert and secrets.grpc.key: TLS needs a certificate and its key',
  ],
  [
    { ...GRPC, 'shards.count': 3, 'config.grpc.peerAddress': 'a:1,b:1' },
    'config.grpc.peerAddress names 2 of 3 shards: name them all, or use {shard}',
  ],
  [
    { 'provision.config.strict': true },
    'provision.config.strict is set, but the Job reads kafka, topics, registry and plaintextHosts alone: remove it',
  ],
];

const MONITORING: readonly Contradiction[] = [
  [
    { 'monitoring.podMonitor.enabled': true, 'monitoring.serviceMonitor.enabled': true },
    'monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled would scrape every pod twice: keep one',
  ],
  [
    { 'monitoring.podMonitor': { enabled: true, interval: '15s', scrapeTimeout: '1m' } },
    'monitoring.podMonitor.scrapeTimeout (1m) must not be above its interval (15s): the Prometheus operator would leave the monitor out',
  ],
  [
    {
      'monitoring.serviceMonitor': { enabled: true, interval: '30s' },
      'monitoring.prometheusRule.enabled': true,
    },
    'config.drainReportMs (20s) must be above monitoring.serviceMonitor.interval (30s), or TicklineDrainTimeout never sees what a pod lost: raise it, or disable that alert',
  ],
];

const PODS: readonly Contradiction[] = [
  [
    { 'config.exchanges.binance': null },
    'config.exchanges names no exchange: give at least one, such as config.exchanges.binance.symbols',
  ],
  [
    { 'config.exchanges.okx': {} },
    'config.exchanges.okx.symbols is empty: name symbols (BTC-USDT), or "*" for all, or give symbolsFile',
  ],
  [
    { 'config.metrics.port': 9466 },
    'sidecar.port is 9466, as config.metrics.port is: they are two servers of one pod',
  ],
  [
    { 'workload.strategy': { maxSurge: 0, maxUnavailable: 0 } },
    'workload.strategy.maxSurge and maxUnavailable are both 0: no pod could ever be replaced',
  ],
  [
    { nodeOptions: '--max-old-space-size=100' },
    'nodeOptions sets --max-old-space-size, which follows resources.limits.memory and heapFraction: change those',
  ],
  [
    { extraEnv: [{ name: 'TICKLINE_SHARD_INDEX', value: '0' }] },
    'extraEnv sets TICKLINE_SHARD_INDEX, which the chart sets: use config, shards, or nodeOptions',
  ],
];

describe.concurrent.each([
  ['shards', SHARDS],
  ['secrets', SECRETS],
  ['outputs', OUTPUTS],
  ['monitoring', MONITORING],
  ['pods', PODS],
])('a contradiction of %s', (_, contradictions) => {
  for (const [values, ...sentences] of contradictions) {
    it(`${JSON.stringify(values)} is refused: ${sentences.join('; ')}`, async () => {
      expect(await sentencesOf(values)).toEqual(sentences);
    });
  }
});

describe('contradictions', () => {
  it.each(['2026', 'md.ticks'])(
    'of a name with the release %s are told with the way out',
    async (release) => {
      const { code, stderr } = await helmTemplate({ release, valuesFiles: [ciFile('minimal')] });
      expect(code).toBe(1);
      expect(stderr).toContain(
        `- the names of objects would begin with ${release}-tickline, which no Service may (a small letter first, then small letters, digits and dashes): set fullnameOverride, or name the release otherwise`,
      );
    },
  );

  it('in memory and time are told with the figures', async () => {
    expect(
      await sentencesOf({ 'resources.limits.memory': '256Mi', 'workload.terminationGracePeriodSeconds': 21 }),
    ).toEqual([
      expect.stringMatching(
        /^workload\.terminationGracePeriodSeconds \(21\) must be at least 5 above config\.drainBudgetMs/,
      ),
      expect.stringMatching(
        /^resources\.limits\.memory \(256Mi\) is below \d+Mi, which the configuration may need/,
      ),
    ]);
  });

  it('of several kinds are told at once', async () => {
    const sentences = await sentencesOf({
      'shards.pins': [pin('okx:BTC-USDT', 9)],
      'config.kafka.brokers': [],
      nodeOptions: '--max-old-space-size=100',
    });
    expect(sentences).toHaveLength(3);
  });
});

/** The sentences with which `helm template` refuses values. */
async function sentencesOf(set: Readonly<Record<string, unknown>>): Promise<string[]> {
  const { code, stdout, stderr } = await helmTemplate({ valuesFiles: [ciFile('minimal')], set });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain("these values can't be installed:");
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) => line.slice(2));
}
