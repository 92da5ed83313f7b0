import { describe, expect, it } from 'vitest';
import { type Tick, testBench, tickOf } from '../test-bench.ts';

const { start, connect } = testBench();
const path = '/ws/v5/public';

interface Push {
  arg?: { channel: string; instId: string };
  data?: (Record<string, string> & { asks: string[][]; bids: string[][]; seqId: number })[];
}

function ticksOf(frame: string): Tick[] {
  const { arg, data = [] } = JSON.parse(frame) as Push;
  return data.map((row): Tick => {
    if (arg?.channel === 'trades') {
      return {
        channel: 'trades',
        exchangeSymbol: row.instId!,
        id: row.tradeId!,
        count: Number(row.count),
        exchangeTime: Number(row.ts) * 1000,
        price: row.px!,
        quantity: row.sz!,
        side: row.side as 'buy' | 'sell',
      };
    }
    return {
      channel: 'quotes',
      exchangeSymbol: arg!.instId,
      id: String(row.seqId),
      exchangeTime: Number(row.ts) * 1000,
      bidPrice: row.bids[0]?.[0] ?? null,
      bidQuantity: row.bids[0]?.[1] ?? null,
      askPrice: row.asks[0]?.[0] ?? null,
      askQuantity: row.asks[0]?.[1] ?? null,
    };
  });
}

const both = (symbols: readonly string[]) =>
  symbols.flatMap((instId) => [
    { channel: 'trades', instId },
    { channel: 'bbo-tbt', instId },
  ]);
const subscribe = (args: object[], id?: string) => ({
  ...(id === undefined ? {} : { id }),
  op: 'subscribe',
  args,
});

describe('OKX', () => {
  it('writes to its ledger what a client receives, digit for digit, with groups of fills and empty sides', async () => {
    const simulator = await start({ exchange: 'okx', symbols: 40, rate: 8000, tradeShare: 0.3 });
    const client = await connect(simulator.url + path);
    client.send(subscribe(both(simulator.symbols)));
    await client.until(() => client.frames.length > 5000);
    simulator.stopMarket();
    await client.until(() => client.frames.length === simulator.ledger.size + 80);
    const received = client.frames.filter((f) => f.startsWith('{"arg"')).flatMap(ticksOf);
    expect(received).toEqual([...simulator.ledger.entries()].map(tickOf));
    const last = new Map<string, number>();
    let grouped = 0;
    let empty = 0;
    for (const tick of received) {
      if (tick.channel === 'quotes') {
        if (tick.bidPrice === null || tick.askPrice === null) empty++;
        continue;
      }
      const previous = last.get(tick.exchangeSymbol);
      if (previous !== undefined) expect(Number(tick.id) - tick.count).toBe(previous);
      if (tick.count > 1) grouped++;
      last.set(tick.exchangeSymbol, Number(tick.id));
    }
    expect(grouped).toBeGreaterThan(0);
    expect(empty).toBeGreaterThan(0);
    expect(simulator.violations).toEqual([]);
  });

  it('acknowledges every argument, refuses the unknown one without an arg, and goes on', async () => {
    const simulator = await start({ exchange: 'okx', start: 'manual' });
    const client = await connect(simulator.url + path);
    const args = [
      { channel: 'trades', instId: 'BTC-USDT' },
      { channel: 'books', instId: 'NOPE-USDT' },
      { channel: 'candle1m', instId: 'BTC-USDT' },
      { channel: 'status' },
    ];
    client.send(subscribe(args, 'a17'));
    await client.until(() => client.frames.length === 4);
    const answers = client.frames.map((f) => JSON.parse(f) as Record<string, string>);
    expect(answers[0]).toMatchObject({ id: 'a17', event: 'subscribe', arg: args[0] });
    expect(answers[1]).toMatchObject({ id: 'a17', event: 'error', code: '60018' });
    expect(answers[1]?.msg).toContain("channel:books,instId:NOPE-USDT doesn't exist");
    expect(answers[1]).not.toHaveProperty('arg');
    expect(answers[2]?.code).toBe('60018');
    expect(answers[3]?.event).toBe('subscribe');
    expect(simulator.stats().acknowledgedSubscriptions).toBe(2);
    const code = async (message: object | string) =>
      (JSON.parse(await client.ask(message)) as { code: string }).code;
    expect(await code('{"op":')).toBe('60012');
    expect(await code({ op: 'nope', args: [] })).toBe('60019');
    expect(await code(subscribe([{ instId: 'BTC-USDT' }]))).toBe('60013');
    expect(await code(subscribe(args, 'not alphanumeric'))).toBe('60012');
    expect(JSON.parse(await client.ask({ op: 'unsubscribe', args: [args[0]] }))).toMatchObject({
      event: 'unsubscribe',
    });
    expect(simulator.stats().subscriptions).toBe(1);
  });

  it('answers the text ping and cuts 30 s of silence, or the lack of a subscription', async () => {
    const simulator = await start({
      exchange: 'okx',
      start: 'manual',
      limits: { idleMs: 600, firstSubscribeMs: 1500 },
    });
    const silent = await connect(simulator.url + path);
    const pinging = await connect(simulator.url + path);
    const timer = setInterval(() => pinging.send('ping'), 30);
    const codes = await Promise.all([silent.closed, pinging.closed]);
    clearInterval(timer);
    expect(codes).toEqual([4004, 4004]);
    expect(pinging.frames[0]).toBe('pong');
    expect(simulator.violations.map(({ kind, connection }) => [kind, connection])).toEqual([
      ['idle', 'okx-1'],
      ['no-subscription', 'okx-2'],
    ]);
  });

  it('refuses requests beyond the hourly budget with 60014', async () => {
    const simulator = await start({ exchange: 'okx', start: 'manual', limits: { requestsPerHour: 2 } });
    const client = await connect(simulator.url + path);
    const args = [{ channel: 'trades', instId: 'BTC-USDT' }];
    await client.ask(subscribe(args));
    await client.ask({ op: 'unsubscribe', args });
    expect(JSON.parse(await client.ask(subscribe(args)))).toMatchObject({ event: 'error', code: '60014' });
    expect(await client.ask('ping')).toBe('pong');
    expect(simulator.stats().violations).toEqual({ 'requests-per-hour': 1 });
  });

  it('closes 1009 for a request over 64 KB and 4008 over a set number of channels', async () => {
    const simulator = await start({
      exchange: 'okx',
      symbols: 1200,
      start: 'manual',
      limits: { streamsPerConnection: 240 },
    });
    const large = await connect(simulator.url + path);
    large.send(subscribe(both(simulator.symbols)));
    expect(await large.closed).toBe(1009);
    const many = await connect(simulator.url + path);
    many.send(subscribe(both(simulator.symbols.slice(0, 121))));
    expect(await many.closed).toBe(4008);
    expect(simulator.stats().violations).toEqual({ 'request-bytes': 1, 'streams-per-connection': 1 });
  });

  it('allows three connections a second', async () => {
    const simulator = await start({ exchange: 'okx', limits: { connectWindowMs: 60_000 } });
    for (let n = 0; n < 3; n++) await connect(simulator.url + path);
    await expect(connect(simulator.url + path)).rejects.toThrow('429');
  });

  it('lists instruments over REST and over its channel', async () => {
    const simulator = await start({ exchange: 'okx', symbols: 100, start: 'manual' });
    const get = async (query: string) =>
      (await (await fetch(`${simulator.restUrl}/api/v5/public/instruments${query}`)).json()) as {
        code: string;
        data: Record<string, unknown>[];
      };
    const { code, data } = await get('?instType=SPOT');
    expect(code).toBe('0');
    expect(data.filter(({ state }) => state === 'live').map(({ instId }) => instId)).toEqual(
      simulator.symbols,
    );
    expect(data.some(({ state }) => state !== 'live')).toBe(true);
    expect(data[0]).toMatchObject({
      instType: 'SPOT',
      baseCcy: 'BTC',
      quoteCcy: 'USDT',
      tickSz: '0.1',
      lotSz: '0.00000001',
    });
    expect((await get('')).code).toBe('50014');
    expect((await get('?instType=SPOT&instId=NOPE')).code).toBe('51001');
    const client = await connect(simulator.url + path);
    const push = await client.ask(subscribe([{ channel: 'instruments', instType: 'SPOT' }]), (f) =>
      f.includes('"data"'),
    );
    expect((JSON.parse(push) as { data: unknown[] }).data).toHaveLength(data.length);
  });
});
