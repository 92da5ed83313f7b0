import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonFolder } from '../../scripts/setup.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { LedgerEntry } from '../exchanges/ledger.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import { startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';

const python = join(pythonFolder, 'bin/python');

type Shown = null | string | number | { readonly Decimal: string } | { readonly datetime: string };

/** A line of python-reader.py. */
interface PythonMessage {
  readonly key: string;
  readonly partition: number;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly record: Readonly<Record<string, Shown>>;
}

let stack: Stack;
let simulators: Simulator[];
let pod: Pod | undefined;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  if (!existsSync(python)) throw new Error('no Python with confluent-kafka: run node scripts/setup.ts tests');
  stack = await startStack();
  simulators = await startSimulators({ symbols: 60, rate: 2_000, tradeShare: 0.5 });
  // Compressed: the other tests read with kafkajs, which knows no zstd.
  const options = { stack, simulators, flags: ['--kafka.compression=zstd'] };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  const goal = ticksWritten(simulators) + 8_000;
  await eventually('8,000 more ticks', () => ticksWritten(simulators) >= goal);
  stopMarkets(simulators);
  expect(await pod.stop()).toBe(0);
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  pod?.process.kill();
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
});

/** Runs a Python program to its end; the lines of its output. */
async function lines(program: string, ...args: string[]): Promise<string[]> {
  const child = spawn(python, [program, ...args], {
    cwd: repositoryRoot,
    // Nothing is left beside the example.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise((done) => child.once('close', done));
  children.delete(child);
  expect(errors).toBe('');
  expect(code).toBe(0);
  return output.trimEnd().split('\n');
}

const reader = 'test/integration/python-reader.py';

/** As many records of a topic as ticks were written to the channel, as Python reads them. */
async function readByPython(channel: 'trades' | 'quotes'): Promise<PythonMessage[]> {
  const count = entriesOf(channel).length;
  const [brokers, registry] = [stack.brokers.join(','), stack.registryUrl];
  const read = await lines(reader, 'read', brokers, registry, `md.${channel}`, String(count));
  return read.map((line) => JSON.parse(line) as PythonMessage);
}

function entriesOf(channel: 'trades' | 'quotes'): LedgerEntry[] {
  return simulators.flatMap(({ ledger }) => [...ledger.entries()].filter((each) => each.channel === channel));
}

/** What Python must have made of the digits as sent: the schema's 18 places, not one digit more. */
function decimal(digits: string | null): Shown {
  if (digits === null) return null;
  const [whole, fraction = ''] = digits.split('.');
  return { Decimal: `${whole}.${fraction.padEnd(18, '0')}` };
}

/** Microseconds since 1970 as Python prints a time in UTC. */
function utc(micros: number | null): Shown {
  if (micros === null) return null;
  const seconds = new Date(Math.floor(micros / 1e6) * 1000).toISOString().slice(0, 19);
  return { datetime: `${seconds}.${String(micros % 1e6).padStart(6, '0')}+00:00` };
}

/** The fields of a record that the exchange decides. */
function asSent(entry: LedgerEntry): Record<string, Shown> {
  const { exchange, exchangeSymbol } = entry;
  const common = { exchange, exchangeSymbol, exchangeTime: utc(entry.exchangeTime), conflated: 0 };
  return entry.channel === 'trades'
    ? {
        ...common,
        tradeId: entry.id,
        price: decimal(entry.price),
        quantity: decimal(entry.quantity),
        side: entry.side,
        contracts: null,
      }
    : {
        ...common,
        updateId: entry.id,
        bidPrice: decimal(entry.bidPrice),
        bidQuantity: decimal(entry.bidQuantity),
        askPrice: decimal(entry.askPrice),
        askQuantity: decimal(entry.askQuantity),
        bidContracts: null,
        askContracts: null,
      };
}

/** What tells ticks apart: Kraken's quotes have no id. */
function nameOf({
  exchange,
  exchangeSymbol,
  exchangeTime,
  tradeId,
  updateId,
}: Readonly<Record<string, Shown>>) {
  return JSON.stringify([exchange, exchangeSymbol, tradeId ?? updateId ?? exchangeTime]);
}

describe('a Python client with confluent-kafka and the registry', () => {
  it.each(['trades', 'quotes'] as const)('reads %s as they were sent, digit for digit', async (channel) => {
    const sent = new Map(
      entriesOf(channel)
        .map(asSent)
        .map((fields) => [nameOf(fields), fields]),
    );
    const messages = await readByPython(channel);
    expect(sent.size).toBeGreaterThan(3_000);
    expect(messages.length).toBe(sent.size);
    for (const { key, timestamp, record } of messages) {
      const name = nameOf(record);
      expect(record).toMatchObject(sent.get(name) ?? { not: 'sent' });
      sent.delete(name);
      expect(key).toBe(record.symbol);
      const { datetime } = record.receiveTime as { datetime: string };
      expect(timestamp).toBe(Date.parse(`${datetime.slice(0, 23)}Z`));
    }
    expect([...sent.keys()]).toEqual([]);
    const decimals = messages.map(({ record }) => record.price ?? record.bidPrice);
    // More digits than a double holds, and fewer than one: both are among the simulated instruments.
    expect(messages.some(({ record }) => significant(record.quantity ?? record.bidQuantity) > 16)).toBe(true);
    expect(decimals.some((price) => JSON.stringify(price).includes('"0.0000'))).toBe(true);
  });

  it('finds keys in the partitions in which its own partitioner puts them', async () => {
    const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const topics = [{ topic: 'by-python', numPartitions: 12, replicationFactor: 1 }];
    await admin.createTopics({ waitForLeaders: true, topics });
    await admin.disconnect();
    const ours = new Map((await readByPython('trades')).map(({ key, partition }) => [key, partition]));
    expect(ours.size).toBeGreaterThan(60);
    const theirs = await lines(reader, 'partitions', stack.brokers.join(','), 'by-python', ...ours.keys());
    const placed = theirs.map((line) => JSON.parse(line) as { error: null; key: string; partition: number });
    expect(placed.filter(({ error }) => error !== null)).toEqual([]);
    expect(new Map(placed.map(({ key, partition }) => [key, partition]))).toEqual(ours);
  });

  it('can begin with the example that we ship', async () => {
    const printed = await lines(
      'examples/python-quickstart/read_trades.py',
      `--brokers=${stack.brokers.join(',')}`,
      `--registry=${stack.registryUrl}`,
      '--from-beginning',
      '--count=100',
    );
    const sent = new Map(
      entriesOf('trades').flatMap((entry) =>
        entry.channel === 'trades' ? [[`${entry.exchange} ${entry.exchangeSymbol} ${entry.id}`, entry]] : [],
      ),
    );
    expect(printed).toHaveLength(100);
    for (const line of printed) {
      const record = JSON.parse(line) as Record<string, Shown>;
      const trade = sent.get(`${record.exchange} ${record.exchangeSymbol} ${record.tradeId}`)!;
      expect(record).toMatchObject({
        price: plain(trade.price),
        quantity: plain(trade.quantity),
        side: trade.side,
      });
      expect(Date.parse(String(record.exchangeTime))).toBe(Math.floor(trade.exchangeTime / 1000));
    }
  });
});

/** Digits as sent, without zeros that say nothing. */
function plain(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

/** Digits of a decimal without the zeros around them. */
function significant(value: Shown | undefined): number {
  if (typeof value !== 'object' || value === null || !('Decimal' in value)) return 0;
  return value.Decimal.replace('.', '').replace(/^0+|0+$/g, '').length;
}
