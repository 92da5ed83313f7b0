import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { avroType, type Quote, type Status, type Trade } from '@tickline/schemas';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonFolder } from '../../scripts/setup.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type PodOptions, provision, startPod } from '../support/pod.ts';
import { startMarkets, startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { readRecords, readTopic } from '../support/topic-records.ts';

const run = promisify(execFile);
const example = (path: string) => join(repositoryRoot, 'examples', path);
// Java and Maven bring Kafka itself here; where Kafka comes from containers they may be missing.
const hasMaven = spawnSync('mvn', ['--version']).status === 0;

/** One symbol in a report of the examples; they agree on every name. */
interface Row {
  readonly exchange: string;
  readonly symbol: string;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly price: string | null;
  readonly tradeId: string | null;
  readonly trades: number;
  readonly duplicates: number;
  readonly volume: string;
  readonly position: string;
  readonly value: string | null;
  readonly trouble: string | null;
}

interface Example {
  readonly language: string;
  readonly command: readonly string[];
  /** Address of the registry as this language's client wants it. */
  readonly registry: (confluent: string) => string;
}

const examples: Example[] = [
  {
    language: 'Python',
    command: [join(pythonFolder, 'bin/python'), example('python-risk/risk.py')],
    registry: (url) => url,
  },
  {
    language: 'TypeScript',
    command: [process.execPath, example('typescript-risk/risk.ts')],
    registry: (url) => url,
  },
  {
    language: 'Java',
    command: [
      'java',
      '-cp',
      `${example('java-risk/target/libs')}/*:${example('java-risk/target/classes')}`,
      'io.tickline.examples.RiskConsumer',
    ],
    registry: (url) => url.replace('/apis/ccompat/v7', '/apis/registry/v3'),
  },
];

const long = { unit: 'binance:BTC-USDT', quantity: '1.5' };
const short = { unit: 'okx:BTC-USDT', quantity: '-0.000000000000000003' };

let stack: Stack;
let simulators: Simulator[];
let options: PodOptions;

beforeAll(async () => {
  if (hasMaven) await run('mvn', ['-q', '-B', 'package'], { cwd: example('java-risk') });
  stack = await startStack();
  simulators = await startSimulators({ symbols: 8, rate: 1_000, tradeShare: 0.5 });
  stopMarkets(simulators);
  options = { stack, simulators };
  await provision(options);
});

afterAll(async () => {
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
});

/** One life of a pod that brings some thousand ticks into the topics. */
async function bringTicks(): Promise<void> {
  const pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  startMarkets(simulators);
  const goal = ticksWritten(simulators) + 3_000;
  await eventually('3,000 more ticks', () => ticksWritten(simulators) >= goal);
  stopMarkets(simulators);
  expect(await pod.stop()).toBe(0);
}

/** Writes the last records of each partition of trades again, as a producer does that got no answer. */
async function repeatTrades(count: number): Promise<number> {
  const records = await readTopic(stack, 'md.trades');
  const partitions = Map.groupBy(records, ({ partition }) => partition);
  const messages = [...partitions.values()].flatMap((each) =>
    each.slice(-count).map(({ partition, key, value }) => ({ partition, key, value })),
  );
  await send('md.trades', messages);
  return messages.length;
}

/** Says on md.status that the quotes of a unit are stale. */
async function tellStale(unit: string): Promise<void> {
  const [exchange, symbol] = unit.split(':');
  const before = (await readRecords(stack, 'status')).find(
    (record) => unitOf(record) === unit && record.channel === 'quotes',
  )!;
  const header = (await readTopic(stack, 'md.status'))[0]!.value.subarray(0, 5);
  const status: Status = { ...before, state: 'stale', reason: 'nothing for 5 minutes' };
  const value = Buffer.concat([header, avroType('status').toBuffer(status)]);
  await send('md.status', [{ key: `${exchange}:${symbol}:quotes`, value }]);
}

async function send(topic: string, messages: kafkajs.Message[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** Runs an example until the topics are read to their end; its last report by unit. */
async function lastReport({ language, command, registry }: Example): Promise<Map<string, Row>> {
  const [program, ...first] = command;
  const { stdout, stderr } = await run(
    program!,
    [
      ...first,
      '--json',
      '--from-beginning',
      ...['--brokers', stack.brokers.join(',')],
      ...['--registry', registry(stack.registryUrl)],
      ...['--group', `risk-${language}`],
      ...['--exit-when-idle', '5'],
      ...['--stale-after', '3600'],
      ...[long, short].flatMap(({ unit, quantity }) => ['--position', `${unit}=${quantity}`]),
    ],
    { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', NODE_NO_WARNINGS: '1' }, maxBuffer: 1 << 26 },
  );
  expect(stderr).toBe('');
  const rows = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Row[];
  return new Map(rows.map((row) => [`${row.exchange}:${row.symbol}`, row]));
}

const scale = 18;

/** A decimal as an integer of 10^-18. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** An integer of 10^-places as plain digits. */
function plain(value: bigint, places: number): string {
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0');
  const text = `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${text}` : text;
}

const unitOf = ({ exchange, symbol }: { readonly exchange: string; readonly symbol: string }) =>
  `${exchange}:${symbol}`;

/** What a run must report that starts where `from` trades of each unit were counted before. */
function expected(trades: readonly Trade[], quotes: readonly Quote[], counted: ReadonlySet<string>) {
  const rows = new Map<string, { trades: number; volume: bigint; last: Trade; quote: Quote }>();
  const quoteOf = new Map(quotes.map((quote) => [unitOf(quote), quote]));
  const seen = new Set<string>();
  for (const trade of trades) {
    const [unit, id] = [unitOf(trade), `${unitOf(trade)} ${trade.tradeId}`];
    if (seen.has(id)) continue;
    seen.add(id);
    const row = rows.get(unit) ?? { trades: 0, volume: 0n, last: trade, quote: quoteOf.get(unit)! };
    row.last = trade;
    if (!counted.has(id)) {
      row.trades++;
      row.volume += scaled(trade.quantity);
    }
    rows.set(unit, row);
  }
  return new Map(
    [...rows].map(([unit, { trades: count, volume, last, quote }]) => [
      unit,
      {
        trades: count,
        volume: plain(volume, scale),
        tradeId: last.tradeId,
        price: last.price,
        bid: quote.bidPrice,
        ask: quote.askPrice,
        trouble: null,
      },
    ]),
  );
}

describe('the risk consumers that we ship', () => {
  it('agree on every digit, count each trade once, and go on where they stopped', async () => {
    const run = examples.filter(({ language }) => language !== 'Java' || hasMaven);
    await bringTicks();
    const firstTrades = await readRecords(stack, 'trades');
    const firstWanted = expected(firstTrades, await readRecords(stack, 'quotes'), new Set());
    expect(firstWanted.size).toBe(32);
    for (const each of run) {
      const rows = await lastReport(each);
      expect(rows.size, each.language).toBe(firstWanted.size);
      for (const [unit, wanted] of firstWanted) expect(rows.get(unit), each.language).toMatchObject(wanted);
      expect(rows.get(long.unit), each.language).toMatchObject({
        position: long.quantity,
        value: plain(scaled(long.quantity) * scaled(rows.get(long.unit)!.bid!), 2 * scale),
      });
      // Three units of the last place, at the ask: no float gets there.
      expect(rows.get(short.unit), each.language).toMatchObject({
        position: short.quantity,
        value: plain(-3n * scaled(rows.get(short.unit)!.ask!), 2 * scale),
      });
    }

    const repeated = await repeatTrades(20);
    await bringTicks();
    await tellStale(short.unit);
    const counted = new Set(firstTrades.map((trade) => `${unitOf(trade)} ${trade.tradeId}`));
    const wanted = expected(await readRecords(stack, 'trades'), await readRecords(stack, 'quotes'), counted);
    for (const each of run) {
      const rows = await lastReport(each);
      for (const [unit, row] of wanted) {
        const trouble = unit === short.unit ? 'stale: nothing for 5 minutes' : null;
        expect(rows.get(unit), each.language).toMatchObject({ ...row, trouble });
      }
      const duplicates = [...rows.values()].reduce((sum, row) => sum + row.duplicates, 0);
      expect(duplicates, each.language).toBe(repeated);
    }
  }, 240_000);
});
