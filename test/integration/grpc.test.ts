import { status as codes, Metadata } from '@grpc/grpc-js';
import type { Quote, Status, Trade } from '@tickline/schemas';
import {
  detailOf,
  type GetStatusResponse,
  type Instrument,
  type MarketDataStub,
} from '@tickline/schemas/grpc';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { quotes, trades } from '../../schemas/src/testing/tick-records.ts';
import type { GrpcSettings } from '../../services/ingestor/src/sinks/grpc/settings.ts';
import { entry, SimulatedPod } from '../../services/ingestor/src/sinks/grpc/testing/simulated-pod.ts';
import {
  StreamReader,
  stubOf,
  subscribeRequest,
} from '../../services/ingestor/src/sinks/grpc/testing/stream-reader.ts';
import type { DirectoryEntry } from '../../services/ingestor/src/sinks/sink-context.ts';
import { eventually } from '../support/eventually.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function podWith(
  entries: readonly DirectoryEntry[],
  settings: Partial<GrpcSettings> = {},
  shard: { index?: number; count?: number } = {},
): Promise<{ pod: SimulatedPod; stub: MarketDataStub }> {
  const pod = await SimulatedPod.start(settings, entries, shard);
  closers.push(() => pod.stop());
  return { pod, stub: clientOf(pod) };
}

function clientOf(pod: SimulatedPod): MarketDataStub {
  const stub = stubOf(pod.address);
  closers.push(() => stub.close());
  return stub;
}

function arrived(reader: StreamReader, count: number): Promise<unknown> {
  return eventually(`${count} ticks`, () => reader.records.length >= count || undefined);
}

const twoExchanges = [
  entry('binance', 'BTC-USDT'),
  entry('binance', 'ETH-USDT'),
  entry('binance', 'ETH-BTC'),
  entry('okx', 'BTC-USDT'),
];

describe('a subscription', () => {
  it('brings what was appended, digit for digit and in order', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    const reader = await StreamReader.open(stub);
    const any = fc.sample(fc.tuple(trades, quotes), { numRuns: 500, seed: 7 });
    for (const [trade, quote] of any) {
      pod.trade('binance', 'BTC-USDT', withoutHead(trade));
      pod.quote('okx', 'BTC-USDT', withoutHead(quote));
    }
    await arrived(reader, 1000);
    expect(reader.records.map(({ record }) => record)).toEqual(pod.appended);
    expect(reader.dropped).toBe(0);
  });

  it.each([
    [{ symbols: ['BTC-USDT'] }, ['binance:BTC-USDT', 'okx:BTC-USDT']],
    [{ symbols: ['BTC-USDT'], exchanges: ['okx'] }, ['okx:BTC-USDT']],
    [{ symbols: ['ETH-*'] }, ['binance:ETH-BTC', 'binance:ETH-USDT']],
    [{ symbols: ['*-BTC', 'BTC-USDT'], exchanges: ['binance'] }, ['binance:BTC-USDT', 'binance:ETH-BTC']],
    [{ symbols: ['*'] }, ['binance:BTC-USDT', 'binance:ETH-BTC', 'binance:ETH-USDT', 'okx:BTC-USDT']],
  ])('takes the symbols that fit: %j', async (request, units) => {
    const { pod, stub } = await podWith(twoExchanges);
    const reader = await StreamReader.open(stub, { ...request, channels: ['trades'] });
    for (const { exchange, symbol } of twoExchanges) {
      pod.quote(exchange, symbol);
      pod.trade(exchange, symbol);
    }
    await arrived(reader, units.length);
    const came = reader.records.map(({ record }) => `${record.exchange}:${record.symbol}`).sort();
    expect(came).toEqual(units);
    expect(new Set(reader.records.map(({ kind }) => kind))).toEqual(new Set(['trade']));
  });

  it('takes symbols of its pattern that are listed later', async () => {
    const { pod, stub } = await podWith([entry('binance', 'BTC-USDT')]);
    const reader = await StreamReader.open(stub, { symbols: ['*-USDT'] });
    pod.list([entry('binance', 'NEW-USDT'), entry('binance', 'NEW-BTC')]);
    pod.trade('binance', 'NEW-BTC');
    const wanted = pod.trade('binance', 'NEW-USDT');
    await arrived(reader, 1);
    expect(reader.records.map(({ record }) => record)).toEqual([wanted]);
  });

  it('begins with the last value of each stream when asked to', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    pod.quote('binance', 'BTC-USDT');
    const quote = pod.quote('binance', 'BTC-USDT', { bidPrice: '1' });
    const trade = pod.trade('okx', 'BTC-USDT');
    const first = await StreamReader.open(stub, { lastValueFirst: true });
    const plain = await StreamReader.open(stub);
    await arrived(first, 2);
    const next = pod.trade('okx', 'BTC-USDT');
    await arrived(first, 3);
    await arrived(plain, 1);
    expect(first.records.map(({ record }) => record)).toEqual(expect.arrayContaining([quote, trade]));
    expect(first.records[2]!.record).toEqual(next);
    expect(plain.records.map(({ record }) => record)).toEqual([next]);
  });

  it('brings the status records of what it took', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    const reader = await StreamReader.open(stub, { symbols: ['BTC-USDT'], channels: ['trades'] });
    const gap: Status = {
      exchange: 'okx',
      symbol: 'BTC-USDT',
      exchangeSymbol: 'BTC-USDT',
      channel: 'trades',
      producer: pod.producer,
      session: null,
      time: 1_780_000_000_000_001,
      state: 'gap',
      reason: 'ids are missing',
      firstId: '5',
      lastId: '9',
      firstTime: null,
      lastTime: 1_780_000_000_000_000,
      count: 5,
    };
    pod.status({ ...gap, channel: 'quotes' });
    pod.status({ ...gap, symbol: 'ETH-USDT', exchange: 'binance' });
    pod.status(gap);
    await arrived(reader, 1);
    expect(reader.records).toEqual([{ kind: 'status', channel: 'trades', record: gap }]);
  });

  it('ends at its deadline', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    const call = stub.subscribe(subscribeRequest({}), new Metadata(), { deadline: Date.now() + 300 });
    const reader = new StreamReader(call);
    expect((await reader.ended).code).toBe(codes.DEADLINE_EXCEEDED);
    await eventually('the pod has let go', () => pod.sink.reading().clients === 0 || undefined);
  });

  it('is let go when the client cancels', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    const reader = await StreamReader.open(stub);
    expect(pod.sink.reading().clients).toBe(1);
    reader.call.cancel();
    expect((await reader.ended).code).toBe(codes.CANCELLED);
    await eventually('the pod has let go', () => pod.sink.reading().clients === 0 || undefined);
    pod.trade('okx', 'BTC-USDT');
    expect(pod.sink.status()).toMatchObject({ queuedRecords: 0, queuedBytes: 0 });
  });

  it('ends with UNAVAILABLE when the pod goes, after all that was appended', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    const reader = await StreamReader.open(stub);
    for (let count = 0; count < 1000; count++) pod.trade('okx', 'BTC-USDT');
    expect(await pod.sink.flush(5_000)).toBe(true);
    await pod.sink.close();
    expect(await reader.ended).toMatchObject({
      code: codes.UNAVAILABLE,
      details: 'the pod is going: subscribe again',
    });
    expect(reader.records.length).toBe(1000);
  });
});

describe('what a request may not be', () => {
  it.each([
    ['an unknown symbol', { symbols: ['DOGE-USDT'] }, codes.NOT_FOUND, /no symbol .* "DOGE-USDT"/],
    ['a pattern that nothing fits', { symbols: ['*-EUR'] }, codes.NOT_FOUND, /"\*-EUR"/],
    ['one unknown of two', { symbols: ['BTC-USDT', 'X-Y'] }, codes.NOT_FOUND, /"X-Y"/],
    ['an unknown exchange', { exchanges: ['nyse'] }, codes.INVALID_ARGUMENT, /"nyse".*binance/],
    ['an unknown channel', { channels: ['books'] }, codes.INVALID_ARGUMENT, /"books".*trades, quotes/],
    ['no symbol', { symbols: [] }, codes.INVALID_ARGUMENT, /symbols is empty/],
    ['too many patterns', { symbols: many(101) }, codes.INVALID_ARGUMENT, /101 patterns/],
  ])('%s', async (_name, request, code, words) => {
    const { stub } = await podWith(twoExchanges);
    const reader = new StreamReader(stub.subscribe(subscribeRequest(request)));
    const end = await reader.ended;
    expect(end).toMatchObject({ code, details: expect.stringMatching(words) });
  });

  it('names the owner of a symbol that is owned elsewhere', async () => {
    const { stub } = await podWith(
      [entry('binance', 'BTC-USDT', [1]), entry('binance', 'ETH-USDT', [0])],
      { peerAddress: 'tickline-{shard}.tickline:9090' },
      { index: 0, count: 2 },
    );
    const end = await new StreamReader(stub.subscribe(subscribeRequest({ symbols: ['BTC-USDT'] }))).ended;
    expect(end.code).toBe(codes.FAILED_PRECONDITION);
    expect(end.details).toContain('binance:BTC-USDT is owned by tickline-1.tickline:9090');
    expect(detailOf(end.metadata)).toEqual({
      type: 'WrongOwner',
      value: {
        symbols: [
          {
            exchange: 'binance',
            symbol: 'BTC-USDT',
            owners: [{ shard: 1, address: 'tickline-1.tickline:9090' }],
          },
        ],
      },
    });
    // A pattern takes what is here, and ownedOnly what is here of anything.
    await StreamReader.open(stub, { symbols: ['*'] });
    await StreamReader.open(stub, { symbols: ['BTC-USDT'], ownedOnly: true });
  });

  it('asks to wait while a listing is not read', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    pod.waitingFor = 'the listing answers 503';
    const end = await new StreamReader(stub.subscribe(subscribeRequest({ symbols: ['DOGE-USDT'] }))).ended;
    expect(end).toMatchObject({
      code: codes.UNAVAILABLE,
      details: expect.stringContaining('the listing answers 503'),
    });
  });

  it('limits subscriptions and clients', async () => {
    const { pod, stub } = await podWith(twoExchanges, { maxSubscriptions: 6, maxClients: 2 });
    const tooMany = await new StreamReader(stub.subscribe(subscribeRequest({}))).ended;
    expect(tooMany).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/8 subscriptions.*grpc\.maxSubscriptions/),
    });
    await StreamReader.open(stub, { channels: ['trades'] });
    const second = await StreamReader.open(stub, { channels: ['trades'] });
    const third = await new StreamReader(stub.subscribe(subscribeRequest({ channels: ['trades'] }))).ended;
    expect(third).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('grpc.maxClients'),
    });
    second.call.cancel();
    await second.ended;
    await eventually('a place is free', () => pod.sink.reading().clients === 1 || undefined);
    await StreamReader.open(stub, { channels: ['trades'] });
  });
});

describe('the other calls', () => {
  it('lists every symbol of the configuration with its owners', async () => {
    const { stub } = await podWith(
      [entry('okx', 'BTC-USDT', [1]), entry('binance', 'BTC-USDT', [0]), entry('binance', 'A-B', [1, 0])],
      { peerAddress: 'localhost:1,localhost:2' },
      { index: 0, count: 2 },
    );
    const list = (request: { exchanges: string[]; symbols: string[] }) =>
      new Promise<Instrument[]>((resolve, reject) =>
        stub.listInstruments(request, (error, answer) =>
          error === null ? resolve(answer.instruments) : reject(error),
        ),
      );
    const all = await list({ exchanges: [], symbols: [] });
    expect(all.map(({ exchange, symbol, owners }) => [exchange, symbol, owners])).toEqual([
      [
        'binance',
        'A-B',
        [
          { shard: 1, address: 'localhost:2' },
          { shard: 0, address: 'localhost:1' },
        ],
      ],
      ['binance', 'BTC-USDT', [{ shard: 0, address: 'localhost:1' }]],
      ['okx', 'BTC-USDT', [{ shard: 1, address: 'localhost:2' }]],
    ]);
    expect(all[1]).toMatchObject({ exchangeSymbol: 'BTCUSDT', base: 'BTC', channels: ['trades', 'quotes'] });
    expect((await list({ exchanges: ['okx'], symbols: ['BTC-*'] })).length).toBe(1);
    await expect(list({ exchanges: ['nyse'], symbols: [] })).rejects.toMatchObject({
      code: codes.INVALID_ARGUMENT,
    });
  });

  it('tells its status', async () => {
    const { pod, stub } = await podWith(twoExchanges);
    await StreamReader.open(stub);
    pod.trade('okx', 'BTC-USDT');
    const status = await new Promise<GetStatusResponse>((resolve, reject) =>
      stub.getStatus({}, (error, answer) => (error === null ? resolve(answer) : reject(error))),
    );
    expect(status).toMatchObject({
      version: '1.2.3',
      producer: 'producer0',
      owner: { shard: 0, address: pod.address },
      shardCount: 1,
      phase: 'running',
      ready: true,
      notReady: undefined,
      clients: 1,
      nowMicros: 1_780_000_001_000_000n,
    });
    expect(status.exchanges.map(({ exchange, ticks }) => [exchange, ticks])).toEqual([
      ['binance', 1n],
      ['okx', 1n],
    ]);
  });
});

it('counts for the metrics what went out and what was refused', async () => {
  const { pod, stub } = await podWith(twoExchanges);
  const reader = await StreamReader.open(stub);
  await new StreamReader(stub.subscribe(subscribeRequest({ symbols: ['X-Y'] }))).ended;
  for (let count = 0; count < 10; count++) pod.trade('okx', 'BTC-USDT');
  await arrived(reader, 10);
  const reading = await eventually('all taken', () => {
    const now = pod.sink.reading();
    return now.acknowledged === 10 ? now : undefined;
  });
  expect(reading).toMatchObject({ sink: 'grpc', clients: 1, queuedRecords: 0, queuedBytes: 0, shed: 0 });
  expect([...reading.errorsByCode]).toEqual([['NOT_FOUND', 1]]);
  expect(Array.from(reading.ackLatencyMs.counts).reduce((a, b) => a + b)).toBeGreaterThan(0);
  expect(pod.sink.status()).toMatchObject({ healthy: true, acknowledged: 10, dropped: 0 });
});

it('refuses to start on a port that is taken, and names the setting', async () => {
  const { pod } = await podWith(twoExchanges);
  const port = Number(pod.address.split(':')[1]);
  await expect(SimulatedPod.start({ port }, twoExchanges)).rejects.toThrow(/grpc\.host and grpc\.port/);
});

it('answers to a client that speaks no gRPC by closing, and goes on', async () => {
  const { pod, stub } = await podWith(twoExchanges);
  const answer = await fetch(`http://${pod.address}/`).then(
    () => 'answered',
    () => 'closed',
  );
  expect(answer).toBe('closed');
  const reader = await StreamReader.open(stub);
  pod.trade('okx', 'BTC-USDT');
  await arrived(reader, 1);
});

function withoutHead<T extends Trade | Quote>(record: T): Partial<T> {
  const fields: Partial<T> = { ...record };
  for (const name of ['exchange', 'symbol', 'exchangeSymbol', 'producer', 'sequence', 'conflated'] as const) {
    delete fields[name];
  }
  return fields;
}

function many(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `*${index}`);
}
