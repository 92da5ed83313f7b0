import { partitionOf, RecordReader } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registrySchemas } from '../../scripts/stack/registry-schemas.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import { type ChannelReadBack, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets, ticksWritten, violationsOf } from '../support/simulators.ts';
import { readTopic } from '../support/topic-records.ts';

let stack: Stack;
let simulators: Simulator[];
let pod: Pod;
let channels: ChannelReadBack[];

beforeAll(async () => {
  stack = await startStack();
  // 60 symbols: real names, the exchanges' odd ones, and every form of tick and lot size of the catalogue.
  simulators = await startSimulators({ symbols: 60, rate: 4_000, tradeShare: 0.5 });
  const options = { stack, simulators };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  const before = ticksWritten(simulators);
  await eventually('20,000 more ticks', () => ticksWritten(simulators) > before + 20_000);
  stopMarkets(simulators);
  expect(await pod.stop()).toBe(0);
  channels = await readBack(stack, simulators, 'md.');
});

afterAll(async () => {
  pod?.process.kill();
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
});

describe('what all four exchanges send', () => {
  it('is read back through the registry once, in order, digit for digit', () => {
    expect(troublesOf(channels)).toEqual([]);
    expect(violationsOf(simulators)).toEqual([]);
    expect(channels.map(({ exchange, channel }) => `${exchange} ${channel}`)).toEqual([
      'binance trades',
      'bybit-spot trades',
      'okx trades',
      'kraken trades',
      'binance quotes',
      'bybit-spot quotes',
      'okx quotes',
      'kraken quotes',
    ]);
    for (const { matched, entries } of channels) {
      expect(matched).toBeGreaterThan(1_000);
      // Prices, quantities, the fills of OKX: the ledger must have had something to compare.
      expect(new Set(entries.map(({ exchangeSymbol }) => exchangeSymbol)).size).toBeGreaterThanOrEqual(60);
    }
  });

  it('has times of its own: when it happened if the exchange says so, and when it was received', () => {
    for (const { exchange, channel, entries, records } of channels) {
      const giveNoTime = exchange === 'binance' && channel === 'quotes';
      expect(records.every(({ exchangeTime }) => (exchangeTime === null) === giveNoTime)).toBe(true);
      const first = Math.min(...entries.slice(0, 1_000).map(({ writeTime }) => writeTime));
      // Two clocks of one machine, one of them set once at start: a second apart would be a wrong unit.
      expect(records.every(({ receiveTime }) => receiveTime > first - 1_000_000)).toBe(true);
      expect(records.every(({ receiveTime }) => receiveTime < Date.now() * 1000 + 1_000_000)).toBe(true);
    }
  });

  it('names the pod, one session for each connection, and the fills that OKX merged', () => {
    const producers = new Set<string>();
    for (const { exchange, channel, entries, records } of channels) {
      for (const { producer } of records) producers.add(producer);
      const connections = new Set(entries.map(({ connection }) => connection));
      expect(new Set(records.map(({ session }) => session)).size).toBe(connections.size);
      if (channel !== 'trades') continue;
      const counts = new Map(entries.map((e) => [`${e.exchangeSymbol} ${e.id}`, 'count' in e ? e.count : 1]));
      const given = records.flatMap((record) => ('tradeId' in record ? [record] : []));
      expect(given.every(({ conflated, contracts }) => conflated === 0 && contracts === null)).toBe(true);
      const fills = given.filter(({ fillCount }) => fillCount !== null);
      if (exchange === 'okx') {
        expect(fills.length).toBe(given.length);
        expect(fills.some(({ fillCount }) => fillCount! > 1)).toBe(true);
      }
      for (const { exchangeSymbol, tradeId, fillCount } of fills) {
        expect(fillCount).toBe(counts.get(`${exchangeSymbol} ${tradeId}`));
      }
    }
    expect([...producers]).toHaveLength(1);
  });

  it('lies where a Java client looks for it: key, partition and timestamp', async () => {
    const schemas = registrySchemas(stack.registryUrl);
    for (const topic of ['trades', 'quotes'] as const) {
      const reader = new RecordReader(topic, schemas);
      const messages = await readTopic(stack, `md.${topic}`);
      expect(messages.length).toBeGreaterThan(8_000);
      const partitions = new Set<number>();
      for (const { key, partition, timestamp, value } of messages) {
        const record = await reader.read(value);
        expect(key).toBe(record.symbol);
        expect(partition).toBe(partitionOf(Buffer.from(record.symbol), 12));
        expect(timestamp).toBe(Math.floor(record.receiveTime / 1000));
        partitions.add(partition);
      }
      expect(partitions.size).toBe(12);
    }
  });

  it('was announced on the status topic, symbol by symbol', async () => {
    const reader = new RecordReader('status', registrySchemas(stack.registryUrl));
    const live = new Set<string>();
    const other: string[] = [];
    for (const { key, partition, value } of await readTopic(stack, 'md.status')) {
      const status = await reader.read(value);
      const { exchange, symbol, channel, state, reason } = status;
      expect(key).toBe(`${exchange}:${symbol}:${channel}`);
      expect(partition).toBe(partitionOf(Buffer.from(key!), 12));
      if (state === 'live') live.add(key!);
      else if (state !== 'acknowledged') other.push(`${key} ${state}: ${reason}`);
    }
    expect(other).toEqual([]);
    const trading = simulators.reduce((sum, { symbols }) => sum + symbols.length, 0);
    expect(live.size).toBe(2 * trading);
    expect(await readTopic(stack, 'md.invalid')).toEqual([]);
  });
});
