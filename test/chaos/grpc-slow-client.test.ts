import { setImmediate as turn } from 'node:timers/promises';
import { status as codes } from '@grpc/grpc-js';
import { detailOf } from '@tickline/schemas/grpc';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcSettings } from '../../services/ingestor/src/sinks/grpc/settings.ts';
import { entry, SimulatedPod } from '../../services/ingestor/src/sinks/grpc/testing/simulated-pod.ts';
import {
  StreamReader,
  stubOf,
  subscribeRequest,
} from '../../services/ingestor/src/sinks/grpc/testing/stream-reader.ts';
import { eventually } from '../support/eventually.ts';

const KIB = 1024;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const symbols = Array.from({ length: 50 }, (_, index) => `S${index}-USDT`);
const entries = symbols.map((symbol) => entry('binance', symbol));

async function podWith(settings: Partial<GrpcSettings>): Promise<SimulatedPod> {
  const pod = await SimulatedPod.start(settings, entries);
  closers.push(() => pod.stop());
  return pod;
}

/** A client on a connection of its own. */
async function reader(pod: SimulatedPod, request = {}): Promise<StreamReader> {
  const stub = stubOf(pod.address);
  closers.push(() => stub.close());
  return StreamReader.open(stub, request);
}

/** Appends ticks as a market would: the others' events get their turn. Stops when `until` says so. */
async function appendUntil(
  append: (index: number) => void,
  keepsUp: StreamReader,
  until: (count: number) => boolean,
): Promise<number> {
  let count = 0;
  while (!until(count)) {
    for (let index = 0; index < 500; index++) append(count++);
    // The event loop's turns are all that both need; the test's time limit ends a wait in vain.
    while (keepsUp.records.length < count) await turn();
  }
  return count;
}

describe('a client that stops reading', () => {
  it('is ended with RESOURCE_EXHAUSTED before trades are lost, within its memory, and no other notices', async () => {
    const pod = await podWith({ clientQueueBytes: 512 * KIB });
    const good = await reader(pod);
    const slow = await reader(pod);
    slow.call.pause();
    let most = 0;
    const count = await appendUntil(
      (index) => {
        pod.trade('binance', symbols[index % symbols.length]!);
        most = Math.max(most, pod.sink.status().queuedBytes);
      },
      good,
      () => pod.sink.reading().shed > 0,
    );
    // Its queue and the good one's.
    expect(most).toBeLessThanOrEqual(2 * 512 * KIB);
    await eventually('the good client has all', () => good.records.length === count || undefined);
    expect(good.records.map(({ record }) => record)).toEqual(pod.appended);

    slow.call.resume();
    const end = await slow.ended;
    expect(end).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(
        /the client reads too slowly: \d+ ticks waited .*grpc\.clientQueueBytes/,
      ),
    });
    const detail = detailOf(end.metadata);
    expect(detail?.type).toBe('TooSlow');
    const undelivered = detail?.type === 'TooSlow' ? Number(detail.value.undelivered) : 0;
    expect(undelivered).toBe(pod.sink.reading().shed);
    // What it got is whole up to where it ends.
    expect(slow.records.map(({ record }) => record)).toEqual(pod.appended.slice(0, slow.records.length));
    expect(pod.sink.status()).toMatchObject({ queuedRecords: 0, queuedBytes: 0 });
  });

  it('is reset when it does not even take the last words', async () => {
    const pod = await podWith({ clientQueueBytes: 256 * KIB });
    const good = await reader(pod);
    const slow = await reader(pod);
    slow.call.pause();
    await appendUntil(
      (index) => pod.trade('binance', symbols[index % symbols.length]!),
      good,
      () => pod.sink.reading().shed > 0,
    );
    expect(pod.sink.reading().clients).toBe(1);
    await eventually('nothing of it is held', () => pod.sink.status().queuedBytes === 0 || undefined);
    slow.call.resume();
    expect((await slow.ended).code).toBe(codes.RESOURCE_EXHAUSTED);
  });

  it('with conflate stays, and gets the latest quote of each symbol, which says how many it stands for', async () => {
    const pod = await podWith({ clientQueueBytes: 512 * KIB });
    const good = await reader(pod);
    const slow = await reader(pod, { conflate: true });
    slow.call.pause();
    const count = await appendUntil(
      (index) => pod.quote('binance', symbols[index % symbols.length]!),
      good,
      (sent) => sent >= 30_000,
    );
    await eventually('the good client has all', () => good.records.length === count || undefined);
    expect(pod.sink.reading()).toMatchObject({ clients: 2, shed: 0 });
    slow.call.resume();
    const last = new Map(pod.appended.map((tick) => [tick.symbol, tick.sequence]));
    await eventually('the latest of each', () => {
      const has = new Map(slow.records.map(({ record }) => [record.symbol, record]));
      return symbols.every((symbol) => {
        const record = has.get(symbol);
        return record !== undefined && 'sequence' in record && record.sequence === last.get(symbol);
      })
        ? true
        : undefined;
    });
    const before = new Map<string, number>();
    let conflated = 0;
    for (const each of slow.records) {
      if (each.kind !== 'quote') throw new Error(`a ${each.kind} came`);
      const { symbol, sequence } = each.record;
      expect(sequence - each.record.conflated).toBe((before.get(symbol) ?? 0) + 1);
      before.set(symbol, sequence);
      conflated += each.record.conflated;
    }
    expect(slow.records.length + conflated).toBe(count);
    expect(conflated).toBeGreaterThan(0);
    expect(pod.sink.reading().conflated).toBe(conflated);
    expect(slow.dropped).toBe(conflated);
  });

  it('is the one that is ended when all queues together are too much', async () => {
    const pod = await podWith({ clientQueueBytes: 64 * 1024 * KIB, queueBytes: 1024 * KIB });
    const good = await reader(pod);
    const slow = await reader(pod);
    slow.call.pause();
    await appendUntil(
      (index) => pod.trade('binance', symbols[index % symbols.length]!),
      good,
      () => pod.sink.reading().shed > 0,
    );
    slow.call.resume();
    expect(await slow.ended).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('grpc.queueBytes'),
    });
    const trade = pod.trade('binance', symbols[0]!);
    await eventually(
      'the good client has all',
      () => good.records.length === pod.appended.length || undefined,
    );
    expect(good.records.at(-1)?.record).toEqual(trade);
  });

  it('does not hold up the end of the pod', async () => {
    const pod = await podWith({});
    const slow = await reader(pod);
    slow.call.pause();
    for (let index = 0; index < 20_000; index++) pod.trade('binance', symbols[index % symbols.length]!);
    expect(await pod.sink.flush(300)).toBe(false);
    expect(pod.sink.status().queuedRecords).toBe(0);
    expect(pod.sink.status().dropped).toBeGreaterThan(0);
    await pod.sink.close();
    slow.call.resume();
    expect((await slow.ended).code).toBe(codes.UNAVAILABLE);
  });
});

it('subscriptions that come and go leave nothing behind', async () => {
  const pod = await podWith({ maxClients: 10 });
  const stub = stubOf(pod.address);
  closers.push(() => stub.close());
  for (let round = 0; round < 40; round++) {
    const readers = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const each = new StreamReader(stub.subscribe(subscribeRequest({ lastValueFirst: true })));
        await each.accepted;
        return each;
      }),
    );
    pod.trade('binance', symbols[0]!);
    for (const each of readers) each.call.cancel();
    await Promise.all(readers.map(({ ended }) => ended));
    await eventually('all have left', () => pod.sink.reading().clients === 0 || undefined);
  }
  expect(pod.sink.status()).toMatchObject({ queuedRecords: 0, queuedBytes: 0 });
});
