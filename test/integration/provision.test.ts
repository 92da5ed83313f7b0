import { randomUUID } from 'node:crypto';
import { avroType, frameValue } from '@tickline/schemas';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { planCommand } from '../../services/ingestor/src/commands/plan.ts';
import { measureTrades } from '../../services/ingestor/src/commands/plan-measure.ts';
import { provisionCommand } from '../../services/ingestor/src/commands/provision.ts';
import { loadSections, readCommandLine } from '../../services/ingestor/src/config.ts';
import { resolveSchemaIds } from '../../services/ingestor/src/schema-ids.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ brokers: 1, registry: true });
}, 300_000);

afterAll(() => stack?.stop());

interface Report {
  ok: boolean;
  exitCode: number;
  failure: string | null;
  items: {
    kind: string;
    name: string;
    state: string;
    id: number | null;
    drift: { what: string; wanted: string; found: string }[];
    reason: string | null;
  }[];
}

/** Topics of one test: its prefix is its own. */
function newPrefix(): string {
  return `t-${randomUUID().slice(0, 8)}.`;
}

function argumentsFor(prefix: string, ...more: string[]): string[] {
  return [
    `--kafka.brokers=${stack.brokers.join(',')}`,
    `--kafka.topicPrefix=${prefix}`,
    `--registry.url=${stack.registryUrl}`,
    ...more,
  ];
}

async function run(argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await provisionCommand(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

async function report(prefix: string, ...more: string[]): Promise<Report> {
  const { code, out } = await run(argumentsFor(prefix, '--json', ...more));
  const parsed = JSON.parse(out) as Report;
  expect(parsed.exitCode).toBe(code);
  return parsed;
}

function schemaIds(prefix: string) {
  const line = readCommandLine(argumentsFor(prefix));
  return resolveSchemaIds(loadSections(line, {}, ['kafka', 'registry']), new AbortController().signal);
}

async function withAdmin<T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [...stack.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

async function registry(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${stack.registryUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

describe('provision', () => {
  it('with --dry-run only says what is missing', async () => {
    const prefix = newPrefix();
    const { code, out } = await run(argumentsFor(prefix, '--dry-run'));
    expect(code).toBe(4);
    for (const name of ['trades', 'quotes', 'status', 'invalid']) {
      expect(out).toContain(`topic ${prefix}${name}: would create`);
    }
    expect(out).toContain(`subject ${prefix}trades-value: would create`);
    const topics = await withAdmin((admin) => admin.listTopics());
    expect(topics.filter((name) => name.startsWith(prefix))).toEqual([]);
    expect((await registry('GET', `/subjects/${prefix}trades-value/versions`)).status).toBe(404);
    await expect(schemaIds(prefix)).rejects.toThrow('tickline-ingestor provision');
  });

  it('with --skip-topics makes the subjects alone, and does not ask Kafka', async () => {
    const prefix = newPrefix();
    const { code, out } = await run([
      '--skip-topics',
      '--json',
      '--kafka.brokers=127.0.0.1:1',
      `--kafka.topicPrefix=${prefix}`,
      `--registry.url=${stack.registryUrl}`,
    ]);
    const made = JSON.parse(out) as Report;
    expect([code, made]).toMatchObject([0, { ok: true, failure: null }]);
    expect(made.items.map(({ kind, name, state }) => [kind, name, state])).toEqual(
      ['trades', 'quotes', 'status'].map((topic) => ['subject', `${prefix}${topic}-value`, 'created']),
    );
    const topics = await withAdmin((admin) => admin.listTopics());
    expect(topics.filter((name) => name.startsWith(prefix))).toEqual([]);
  });

  it('makes everything, and at the second run finds it as it should be, with the same ids', async () => {
    const prefix = newPrefix();
    const first = await report(
      prefix,
      '--topics.retention.trades.ms=1h',
      '--topics.retention.trades.bytes=none',
    );
    expect(first).toMatchObject({ ok: true, failure: null });
    expect(first.items.map(({ state }) => state)).toEqual(new Array(7).fill('created'));

    const settings = await withAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [`${prefix}trades`, `${prefix}invalid`] });
      expect(topics.map(({ partitions }) => partitions.length)).toEqual([12, 12]);
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: `${prefix}trades` }],
      });
      return new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
    });
    expect(settings.get('retention.ms')).toBe('3600000');
    expect(settings.get('retention.bytes')).toBe('-1');
    expect(settings.get('cleanup.policy')).toBe('delete');
    expect(settings.get('message.timestamp.type')).toBe('CreateTime');
    expect(settings.get('min.insync.replicas')).toBe('1');

    for (const name of ['trades', 'quotes', 'status']) {
      const { json } = await registry('GET', `/config/${prefix}${name}-value`);
      expect(json).toMatchObject({ compatibilityLevel: 'FULL_TRANSITIVE' });
    }
    expect((await registry('GET', `/subjects/${prefix}invalid-value/versions`)).status).toBe(404);

    const second = await report(
      prefix,
      '--topics.retention.trades.ms=1h',
      '--topics.retention.trades.bytes=none',
    );
    expect(second.items.map(({ state }) => state)).toEqual(new Array(7).fill('exists'));
    expect(second.items.map(({ id }) => id)).toEqual(first.items.map(({ id }) => id));

    const ids = await schemaIds(prefix);
    const idOf = (name: string) => second.items.find((item) => item.name === `${prefix}${name}-value`)?.id;
    expect(ids).toEqual({ trades: idOf('trades'), quotes: idOf('quotes'), status: idOf('status') });
    expect(new Set(Object.values(ids)).size).toBe(3);
  });

  it('reports topics that differ and leaves them as they are', async () => {
    const prefix = newPrefix();
    await withAdmin((admin) =>
      admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            topic: `${prefix}trades`,
            numPartitions: 3,
            configEntries: [
              { name: 'cleanup.policy', value: 'compact' },
              { name: 'retention.ms', value: '1000' },
            ],
          },
        ],
      }),
    );
    for (const attempt of ['first', 'second']) {
      const { items, exitCode } = await report(prefix);
      expect(exitCode, attempt).toBe(3);
      expect(items[0]).toMatchObject({ kind: 'topic', name: `${prefix}trades`, state: 'drift' });
      expect(items[0]?.drift).toEqual(
        expect.arrayContaining([
          { what: 'partitions', wanted: '12', found: '3' },
          { what: 'cleanup.policy', wanted: 'delete', found: 'compact' },
          { what: 'retention.ms', wanted: '604800000', found: '1000' },
        ]),
      );
      expect(items[1]).toMatchObject({ state: attempt === 'first' ? 'created' : 'exists' });
    }
  });

  it('reports a subject whose compatibility differs and does not set it', async () => {
    const prefix = newPrefix();
    await report(prefix);
    await registry('PUT', `/config/${prefix}quotes-value`, { compatibility: 'BACKWARD' });
    const { items, exitCode } = await report(prefix);
    expect(exitCode).toBe(3);
    const quotes = items.find(({ name }) => name === `${prefix}quotes-value`);
    expect(quotes).toMatchObject({
      state: 'drift',
      drift: [{ what: 'compatibility', wanted: 'FULL_TRANSITIVE', found: 'BACKWARD' }],
    });
    const { json } = await registry('GET', `/config/${prefix}quotes-value`);
    expect(json).toMatchObject({ compatibilityLevel: 'BACKWARD' });
  });

  it('reports a subject with another schema, and has an incompatible one refused', async () => {
    const prefix = newPrefix();
    const subject = `${prefix}trades-value`;
    const other = {
      type: 'record',
      name: 'Trade',
      namespace: 'io.tickline.marketdata.v1',
      fields: [{ name: 'price', type: 'string' }],
    };
    await registry('POST', `/subjects/${subject}/versions`, { schema: JSON.stringify(other) });
    await registry('PUT', `/config/${subject}`, { compatibility: 'FULL_TRANSITIVE' });
    const left = (await report(prefix)).items.find(({ name }) => name === subject);
    expect(left).toMatchObject({ state: 'drift', drift: [{ what: 'schema' }] });

    const { items, exitCode } = await report(prefix, '--register-versions');
    expect(exitCode).toBe(3);
    const refused = items.find(({ name }) => name === subject);
    expect(refused?.state).toBe('refused');
    expect(refused?.reason).toContain(subject);
    expect((await registry('GET', `/subjects/${subject}/versions`)).json).toEqual([1]);
    await expect(schemaIds(prefix)).rejects.toThrow(subject);
  });

  it('registers a compatible version when it is asked to', async () => {
    const prefix = newPrefix();
    const subject = `${prefix}trades-value`;
    // Ours without a field that has a default: each can read the other.
    await report(prefix);
    const { json } = await registry('GET', `/subjects/${subject}/versions/latest`);
    const ours = JSON.parse((json as { schema: string }).schema) as { fields: { name: string }[] };
    const older = { ...ours, fields: ours.fields.filter(({ name }) => name !== 'fillCount') };
    const next = newPrefix();
    await registry('POST', `/subjects/${next}trades-value/versions`, { schema: JSON.stringify(older) });
    await registry('PUT', `/config/${next}trades-value`, { compatibility: 'FULL_TRANSITIVE' });
    expect((await report(next)).exitCode).toBe(3);
    expect(await report(next, '--register-versions')).toMatchObject({ exitCode: 0 });
    expect((await registry('GET', `/subjects/${next}trades-value/versions`)).json).toEqual([1, 2]);
    expect((await schemaIds(next)).trades).toBeGreaterThan(0);
  });

  it('says which setting leads nowhere', async () => {
    const nobody = await run(
      argumentsFor(newPrefix(), '--dry-run', '--kafka.requestTimeoutMs=1s').map((argument) =>
        argument.startsWith('--kafka.brokers') ? '--kafka.brokers=127.0.0.1:1' : argument,
      ),
    );
    expect(nobody.code).toBe(1);
    expect(nobody.err).toContain('kafka.brokers');

    const wrongPath = await run(
      argumentsFor(newPrefix(), '--dry-run').map((argument) =>
        argument.replace('/apis/ccompat/v7', '/nothing'),
      ),
    );
    expect(wrongPath.code).toBe(1);
    expect(wrongPath.err).toContain('registry.url');

    const noRegistry = await run(
      argumentsFor(newPrefix(), '--dry-run').map((argument) =>
        argument.startsWith('--registry.url') ? '--registry.url=http://127.0.0.1:1' : argument,
      ),
    );
    expect(noRegistry.code).toBe(1);
    expect(noRegistry.err).toMatch(/registry\.url.*ECONNREFUSED/);
  });
});

/** One trade, as any pod would have written it. */
function trade(exchange: string, symbol: string): Record<string, unknown> {
  return {
    exchange,
    symbol,
    exchangeSymbol: symbol,
    producer: 'p',
    session: 's',
    exchangeTime: 1,
    receiveTime: 2,
    sequence: 1,
    conflated: 0,
    price: '1.5',
    quantity: '2',
    contracts: null,
    side: 'buy',
    tradeId: '7',
    fillCount: null,
  };
}

describe('plan --measure', () => {
  /** Produces three trades of one unit for each of another, and a value that is no record, until stopped. */
  async function producing<T>(prefix: string, use: () => Promise<T>): Promise<T> {
    const { trades: id } = await schemaIds(prefix);
    const type = avroType('trades');
    const value = (exchange: string, symbol: string) =>
      frameValue(id, type.toBuffer(trade(exchange, symbol)));
    const messages = [
      ...['1', '2', '3'].map(() => ({ key: 'BTC-USDT', value: value('binance', 'BTC-USDT') })),
      { key: 'BTC-USDT', value: value('okx', 'BTC-USDT') },
      { key: 'BTC-USDT', value: Buffer.from('no record') },
    ];
    const producer = new Kafka({ brokers: [...stack.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    let isDone = false;
    const loop = (async () => {
      while (!isDone) await producer.send({ topic: `${prefix}trades`, messages });
    })();
    try {
      return await use();
    } finally {
      isDone = true;
      await loop;
      await producer.disconnect();
    }
  }

  it('counts trades by exchange and symbol, and leaves no consumer group behind', async () => {
    const prefix = newPrefix();
    await report(prefix);
    const line = readCommandLine(argumentsFor(prefix));
    const config = loadSections(line, {}, ['kafka', 'registry']);
    const { weights, unreadable } = await producing(prefix, () =>
      measureTrades(config, 2, new AbortController().signal),
    );
    expect([...weights.keys()].sort()).toEqual(['binance:BTC-USDT', 'okx:BTC-USDT']);
    const ratio = (weights.get('binance:BTC-USDT') ?? 0) / (weights.get('okx:BTC-USDT') ?? 1);
    // The first and the last batch may be cut.
    expect(ratio).toBeGreaterThan(2);
    expect(ratio).toBeLessThan(4);
    expect(unreadable).toBeGreaterThan(0);
    const { groups } = await withAdmin((admin) => admin.listGroups());
    expect(groups.filter(({ groupId }) => groupId.startsWith('tickline-plan-'))).toEqual([]);
  });

  it('balances by what it counted', async () => {
    const prefix = newPrefix();
    await report(prefix);
    let out = '';
    const argv = argumentsFor(
      prefix,
      '--offline',
      '--measure=1',
      '--json',
      '--shard.count=2',
      '--exchanges.binance.symbols=BTC-USDT',
      '--exchanges.okx.symbols=BTC-USDT',
    );
    const code = await producing(prefix, () =>
      planCommand(argv, {
        stdout: { write: (text) => (out += text) },
        stderr: { write: () => undefined },
        env: {},
        signal: new AbortController().signal,
      }),
    );
    expect(code).toBe(0);
    const { units, unweighted, before } = JSON.parse(out) as {
      units: number;
      unweighted: number;
      before: { loads: number[] };
    };
    expect({ units, unweighted }).toEqual({ units: 2, unweighted: 0 });
    expect(before.loads.reduce((sum, load) => sum + load, 0)).toBeGreaterThan(0);
  });
});
