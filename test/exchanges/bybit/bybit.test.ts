import { describe, expect, it } from 'vitest';
import type { RawClient } from '../raw-client.ts';
import { type Tick, testBench, tickOf } from '../test-bench.ts';

const { start, connect } = testBench();

interface Row {
  T: number;
  s: string;
  S: string;
  v: string;
  p: string;
  i: string;
}
interface Book {
  s: string;
  b: [string, string][];
  a: [string, string][];
  u: number;
}

function ticksOf(frame: string): Tick[] {
  const { topic = '', data, cts } = JSON.parse(frame) as { topic?: string; data: Row[] & Book; cts: number };
  if (topic.startsWith('publicTrade.')) {
    return data.map((row) => ({
      channel: 'trades',
      exchangeSymbol: row.s,
      id: row.i,
      count: 1,
      exchangeTime: row.T * 1000,
      price: row.p,
      quantity: row.v,
      side: row.S === 'Buy' ? 'buy' : 'sell',
    }));
  }
  if (!topic.startsWith('orderbook.1.')) return [];
  return [
    {
      channel: 'quotes',
      exchangeSymbol: data.s,
      id: String(data.u),
      exchangeTime: cts * 1000,
      bidPrice: data.b[0]?.[0] ?? null,
      bidQuantity: data.b[0]?.[1] ?? null,
      askPrice: data.a[0]?.[0] ?? null,
      askQuantity: data.a[0]?.[1] ?? null,
    },
  ];
}

const subscribe = (args: string[], id = 's1') => ({ req_id: id, op: 'subscribe', args });
const isAnswer = (frame: string): boolean => frame.includes('"success"');
const answer = async (client: RawClient, message: object): Promise<{ success: boolean; ret_msg: string }> =>
  JSON.parse(await client.ask(message, isAnswer)) as { success: boolean; ret_msg: string };

async function subscribeAll(client: RawClient, symbols: readonly string[]): Promise<void> {
  for (let at = 0; at < symbols.length; at += 5) {
    const args = symbols.slice(at, at + 5).flatMap((s) => [`publicTrade.${s}`, `orderbook.1.${s}`]);
    expect(await answer(client, subscribe(args))).toMatchObject({ success: true, ret_msg: 'subscribe' });
  }
}

describe('Bybit spot', () => {
  it('writes to its ledger what a client receives, digit for digit', async () => {
    const limits = { repeatMs: Infinity };
    const simulator = await start({
      exchange: 'bybit-spot',
      symbols: 40,
      rate: 5000,
      tradeShare: 0.5,
      limits,
    });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    await subscribeAll(client, simulator.symbols);
    await client.until(() => client.frames.length > 2000);
    simulator.stopMarket();
    await client.until(() => client.frames.length === simulator.stats().frames + 8);
    const received = client.frames.flatMap(ticksOf);
    expect(received).toEqual([...simulator.ledger.entries()].map(tickOf));
    expect(client.frames.some((f) => ticksOf(f).length > 1)).toBe(true);
    const ids = received.filter(({ channel }) => channel === 'trades').map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(simulator.violations).toEqual([]);
  });

  it('sends a snapshot after subscribing, and repeats an unchanged one with the same u, not entering it', async () => {
    const limits = { repeatMs: 60 };
    const simulator = await start({ exchange: 'bybit-spot', symbols: 2, start: 'manual', limits });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    await client.ask(subscribe(['orderbook.1.BTCUSDT']));
    await client.until(() => client.frames.length >= 4);
    const ticks = client.frames.flatMap(ticksOf);
    expect(new Set(ticks.map(({ id }) => id)).size).toBe(1);
    expect(ticks[1]).toEqual(ticks[0]);
    expect(simulator.ledger.size).toBe(1);
    expect(simulator.stats().repeats).toBeGreaterThanOrEqual(2);
  });

  it('answers ping as JSON', async () => {
    const simulator = await start({ exchange: 'bybit-spot' });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    const pong = JSON.parse(await client.ask({ req_id: 'hb-42', op: 'ping' })) as Record<string, unknown>;
    expect(pong).toMatchObject({ success: true, ret_msg: 'pong', op: 'ping', req_id: 'hb-42' });
    expect(Object.keys(JSON.parse(await client.ask({ op: 'ping' })) as object)).not.toContain('req_id');
  });

  it('rejects a whole batch for one bad argument', async () => {
    const simulator = await start({ exchange: 'bybit-spot', start: 'manual' });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    const { symbols } = simulator;
    expect(
      await answer(client, subscribe(symbols.slice(0, 11).map((s) => `publicTrade.${s}`))),
    ).toMatchObject({
      success: false,
      ret_msg: 'args size >10',
    });
    expect(await answer(client, subscribe(['publicTrade.BTCUSDT', 'tickers.NOPEUSDT']))).toMatchObject({
      success: false,
      ret_msg: 'Invalid symbol :[tickers.NOPEUSDT]',
    });
    expect(await answer(client, subscribe(['publicTrade.BTCUSDT', 'orderbook.500.BTCUSDT']))).toMatchObject({
      ret_msg: 'Invalid topic: orderbook.500.BTCUSDT',
    });
    expect(simulator.stats().subscriptions).toBe(0);
    expect((await answer(client, subscribe(['publicTrade.BTCUSDT']))).success).toBe(true);
    expect(await answer(client, subscribe(['publicTrade.ETHUSDT', 'publicTrade.BTCUSDT']))).toMatchObject({
      success: false,
      ret_msg: 'error:already subscribed,topic:publicTrade.BTCUSDT',
    });
    expect(simulator.stats().subscriptions).toBe(1);
    expect(simulator.stats().violations).toEqual({ 'args-per-request': 1, 'invalid-request': 1 });
    expect(simulator.stats().refusedSymbols).toEqual(['tickers.NOPEUSDT']);
  });

  it('ends a connection over 21,000 characters of arguments', async () => {
    const simulator = await start({ exchange: 'bybit-spot', symbols: 600, start: 'manual' });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    const topics = simulator.symbols.flatMap((s) => [`publicTrade.${s}`, `orderbook.1.${s}`]);
    let characters = 0;
    for (let at = 0; at < topics.length && characters <= 21_000; at += 10) {
      const args = topics.slice(at, at + 10);
      characters += args.reduce((sum, topic) => sum + topic.length + 3, 0);
      expect((await answer(client, subscribe(args))).success).toBe(characters <= 21_000);
    }
    expect(await client.closed).toBe(1008);
    expect(simulator.stats().violations).toEqual({ 'args-characters': 1 });
  });

  it('enforces a number of topics per connection when one is set', async () => {
    const limits = { streamsPerConnection: 10 };
    const simulator = await start({ exchange: 'bybit-spot', start: 'manual', limits });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    const topics = simulator.symbols.map((s) => `publicTrade.${s}`);
    expect((await answer(client, subscribe(topics.slice(0, 10)))).success).toBe(true);
    expect((await answer(client, subscribe(topics.slice(10, 11)))).success).toBe(false);
    expect(await client.closed).toBe(1008);
    expect(simulator.stats().violations).toEqual({ 'streams-per-connection': 1 });
  });

  it('cuts a connection without ping and data', async () => {
    const simulator = await start({ exchange: 'bybit-spot', limits: { idleMs: 60 } });
    const client = await connect(`${simulator.url}/v5/public/spot`);
    await client.closed;
    expect(simulator.stats().violations).toEqual({ idle: 1 });
  });

  it('refuses too many connections with 403', async () => {
    const simulator = await start({ exchange: 'bybit-spot', limits: { connections: 1 } });
    await connect(`${simulator.url}/v5/public/spot`);
    await expect(connect(`${simulator.url}/v5/public/spot`)).rejects.toThrow('403');
    expect(simulator.stats().violations).toEqual({ connections: 1 });
  });

  it('lists trading instruments over REST unless another status is asked for', async () => {
    const simulator = await start({ exchange: 'bybit-spot', symbols: 100 });
    const list = async (query: string) => {
      const response = await fetch(`${simulator.restUrl}/v5/market/instruments-info?${query}`);
      return (await response.json()) as { retCode: number; result: { list?: Record<string, unknown>[] } };
    };
    const { retCode, result } = await list('category=spot&limit=10');
    expect(retCode).toBe(0);
    expect(result.list?.map(({ symbol }) => symbol)).toEqual(simulator.symbols);
    expect(result.list?.[0]).toMatchObject({ priceFilter: { tickSize: '0.1' }, baseCoin: 'BTC' });
    expect((await list('category=spot&status=PreLaunch')).result.list?.length).toBeGreaterThan(0);
    expect((await list('category=nope')).retCode).toBe(10001);
  });
});
