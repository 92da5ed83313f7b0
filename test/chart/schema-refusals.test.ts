import { describe, expect, it } from 'vitest';
import { helmLint, helmTemplate } from './helm.ts';
import { ciFile } from './rendered.ts';

/** Values over those of ci/minimal-values.yaml, the place that helm names, and what it says of it. */
type Refusal = readonly [values: Readonly<Record<string, unknown>>, place: string, says: string];

const UNKNOWN: readonly Refusal[] = [
  [{ replicas: 2 }, '(root)', 'Additional property replicas is not allowed'],
  [{ 'image.repo': 'x' }, 'image', 'Additional property repo is not allowed'],
  [{ 'shards.counts': 2 }, 'shards', 'Additional property counts is not allowed'],
  [
    { 'shards.pins': [{ unit: 'okx:BTC-USDT', shard: 0, node: 1 }] },
    'shards.pins.0',
    'Additional property node is not allowed',
  ],
  [{ 'probes.liveness.period': 3 }, 'probes.liveness', 'Additional property period is not allowed'],
  // Kubernetes documentation, "Configure Probes": neither is taken there.
  [
    { 'probes.readiness.terminationGracePeriodSeconds': 5 },
    'probes.readiness',
    'Additional property terminationGracePeriodSeconds is not allowed',
  ],
  [
    { 'probes.liveness.successThreshold': 2 },
    'probes.liveness.successThreshold',
    'probes.liveness.successThreshold does not match: 1',
  ],
  [
    { 'secrets.kafka.password.secret': 'x' },
    'secrets.kafka.password',
    'Additional property secret is not allowed',
  ],
  [{ 'secrets.postgres': {} }, 'secrets', 'Additional property postgres is not allowed'],
  [{ 'networkPolicy.egress.kafka': [] }, 'networkPolicy.egress', 'Additional property kafka is not allowed'],
  [
    { 'monitoring.podMonitor.every': '1s' },
    'monitoring.podMonitor',
    'Additional property every is not allowed',
  ],
  [
    { 'monitoring.prometheusRule.on': true },
    'monitoring.prometheusRule',
    'Additional property on is not allowed',
  ],
  [{ 'resources.limit': {} }, 'resources', 'Additional property limit is not allowed'],
  [{ tolerations: [{ keys: 'a' }] }, 'tolerations.0', 'Additional property keys is not allowed'],
  [
    { 'podSecurityContext.runAsNonroot': true },
    'podSecurityContext',
    'Additional property runAsNonroot is not allowed',
  ],
];

/** Of the ingestor's own configuration. */
const UNKNOWN_SETTINGS: readonly Refusal[] = [
  [{ 'config.kafca': {} }, 'config', 'Additional property kafca is not allowed'],
  [{ 'config.kafka.queueBites': 1 }, 'config.kafka', 'Additional property queueBites is not allowed'],
  [{ 'config.exchanges.bitfinex': {} }, 'config.exchanges', 'Additional property bitfinex is not allowed'],
  [
    { 'config.exchanges.okx.symbol': 'x' },
    'config.exchanges.okx',
    'Additional property symbol is not allowed',
  ],
  [
    { 'config.exchanges.okx.limits.topics': 1 },
    'config.exchanges.okx.limits',
    'Additional property topics is not allowed',
  ],
  [
    { 'config.topics.retention.books.ms': 1 },
    'config.topics.retention',
    'Additional property books is not allowed',
  ],
];

/** What has its own place in the chart, or may never be in values. */
const NOT_HERE: readonly Refusal[] = [
  [{ 'config.kafka.sasl.password': 'x' }, 'config.kafka.sasl', 'Additional property password is not allowed'],
  [{ 'config.registry.password': 'x' }, 'config.registry', 'Additional property password is not allowed'],
  [{ 'config.redis.password': 'x' }, 'config.redis', 'Additional property password is not allowed'],
  [
    { 'config.redis.sentinel.password': 'x' },
    'config.redis.sentinel',
    'Additional property password is not allowed',
  ],
  [
    { 'provision.config.kafka.sasl.password': 'x' },
    'provision.config.kafka.sasl',
    'Additional property password is not allowed',
  ],
  [{ 'config.shard.count': 2 }, 'config', 'Additional property shard is not allowed'],
  [{ 'config.status.host': '0.0.0.0' }, 'config.status', 'Additional property host is not allowed'],
  [{ 'config.metrics.host': '::' }, 'config.metrics', 'Additional property host is not allowed'],
];

const WRONG: readonly Refusal[] = [
  [{ 'shards.count': '2' }, 'shards.count', 'Invalid type. Expected: integer, given: string'],
  [{ 'shards.count': 0 }, 'shards.count', 'Must be greater than or equal to 1'],
  [{ 'shards.count': 1.5 }, 'shards.count', 'Invalid type. Expected: integer, given: number'],
  [
    { 'workload.kind': 'DaemonSet' },
    'workload.kind',
    'must be one of the following: "Deployment", "StatefulSet"',
  ],
  [{ 'sidecar.kind': 'none' }, 'sidecar.kind', 'must be one of the following: "native", "container"'],
  [{ 'image.digest': 'sha256:abc' }, 'image.digest', 'Does not match pattern'],
  [{ 'image.tag': 'a b' }, 'image.tag', 'Does not match pattern'],
  [
    { 'podDisruptionBudget.enabled': 'yes' },
    'podDisruptionBudget.enabled',
    'Invalid type. Expected: boolean, given: string',
  ],
  [{ 'shards.pins': [{ unit: 'BTC-USDT', shard: 0 }] }, 'shards.pins.0.unit', 'Does not match pattern'],
  [{ 'shards.pins': [{ unit: 'okx:BTC-USDT' }] }, 'shards.pins.0', 'shard is required'],
  [
    { 'secrets.kafka.password': 'plain' },
    'secrets.kafka.password',
    'Invalid type. Expected: object, given: string',
  ],
  [{ 'config.metrics.port': 70_000 }, 'config.metrics.port', 'Must be less than or equal to 65535'],
  [{ 'config.metrics.port': 0 }, 'config.metrics.port', 'Must be greater than or equal to 1'],
  [
    { 'config.kafka.brokers': 'kafka:9092' },
    'config.kafka.brokers',
    'Invalid type. Expected: [array,null], given: string',
  ],
  [{ 'config.kafka.brokers': ['kafka'] }, 'config.kafka.brokers.0', 'Does not match pattern'],
  [
    { 'config.kafka.queueBytes': '12 parsecs' },
    'config.kafka.queueBytes',
    'Must validate at least one schema (anyOf)',
  ],
  [{ 'config.drainBudgetMs': 'soon' }, 'config.drainBudgetMs', 'Must validate at least one schema (anyOf)'],
  [
    { 'config.exchanges.okx.channels': ['candles'] },
    'config.exchanges.okx.channels.0',
    'must be one of the following',
  ],
  [{ 'config.registry.url': 'ftp://registry' }, 'config.registry.url', 'Does not match pattern'],
  [{ 'resources.limits.memory': true }, 'resources.limits.memory', 'Invalid type'],
  [{ heapFraction: 1.5 }, 'heapFraction', 'Must be less than'],
  [{ extraVolumes: [{ emptyDir: {} }] }, 'extraVolumes.0', 'name is required'],
];

describe.concurrent.each([
  ['an unknown key', UNKNOWN],
  ['an unknown setting of the ingestor', UNKNOWN_SETTINGS],
  ['what values may not hold', NOT_HERE],
  ['a wrong type or value', WRONG],
])('%s', (_, refusals) => {
  it.each(refusals)('%j is refused at %s: %s', async (set, place, says) => {
    const valuesFiles = [ciFile('minimal')];
    for (const answer of await Promise.all([
      helmTemplate({ valuesFiles, set }),
      helmLint({ valuesFiles, set }),
    ])) {
      expect(answer.code).not.toBe(0);
      expect(`${answer.stdout}\n${answer.stderr}`).toSatisfy(
        (output: string) => output.split('\n').some((line) => isRefusal(line.trim(), place, says)),
        `to refuse ${place}: ${says}`,
      );
    }
  });
});

/** Helm 4 names the place in another way, and says the same in other words. */
function isRefusal(line: string, place: string, says: string): boolean {
  const pointer = place === '(root)' ? '' : `/${place.replaceAll('.', '/')}`;
  return (line.startsWith(`- ${place}: `) && line.includes(says)) || line.startsWith(`- at '${pointer}': `);
}
