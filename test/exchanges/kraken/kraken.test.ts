import { describe, expect, it } from 'vitest';
import { type Tick, testBench, tickOf } from '../test-bench.ts';

const { start, connect } = testBench();

const micros = (text: string): number => {
  const fraction = text.slice(20, -1);
  expect(fraction).toMatch(/^\d{6}$/);
  return Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(fraction);
};

/** Reads a frame with its numbers as the texts they are. */
function ticksOf(frame: string): Tick[] {
  const quoted = frame.replace(/"(price|qty|bid|bid_qty|ask|ask_qty|trade_id)":([^,}]+)/g, '"$1":"$2"');
  const { channel, data } = JSON.parse(quoted) as { channel?: string; data: Record<string, string>[] };
  if (channel === 'trade') {
    return data.map((row) => ({
      channel: 'trades',
      exchangeSymbol: row.symbol!,
      id: row.trade_id!,
      count: 1,
      exchangeTime: micros(row.timestamp!),
      price: row.price!,
      quantity: row.qty!,
      side: row.side as 'buy' | 'sell',
    }));
  }
  if (channel !== 'ticker') return [];
  return data.map((row) => ({
    channel: 'quotes',
    exchangeSymbol: row.symbol!,
    id: null,
    exchangeTime: micros(row.timestamp!),
    bidPrice: row.bid!,
    bidQuantity: row.bid_qty!,
    askPrice: row.ask!,
    askQuantity: row.ask_qty!,
  }));
}

const subscribe = (channel: string, symbol: readonly string[], more: object = {}, reqId = 1) => ({
  method: 'subscribe',
  params: { channel, symbol, ...more },
  req_id: reqId,
});
const isData = (frame: string): boolean => /^\{"channel":"(trade|ticker)"/.test(frame);

describe('Kraken', () => {
  it('writes to its ledger what a client receives, digit for digit', async () => {
    const simulator = await start({ exchange: 'kraken', symbols: 60, rate: 5000, tradeShare: 0.5 });
    const client = await connect(`${simulator.url}/v2`);
    client.send(subscribe('trade', simulator.symbols));
    client.send(subscribe('ticker', simulator.symbols, { event_trigger: 'bbo' }));
    await client.until(() => client.frames.length > 3000);
    simulator.stopMarket();
    await client.until(() => client.frames.filter(isData).length === simulator.stats().frames);
    const received = client.frames.flatMap(ticksOf);
    expect(received).toEqual([...simulator.ledger.entries()].map(tickOf));
    const quantities = received.map((tick) =>
      tick.channel === 'trades' ? tick.quantity : tick.bidQuantity!,
    );
    expect(quantities.some((text) => text.replace('.', '').length >= 17)).toBe(true);
    const times = new Map<string, number>();
    for (const tick of received) {
      expect(tick.exchangeTime!).toBeGreaterThan(times.get(tick.exchangeSymbol) ?? 0);
      times.set(tick.exchangeSymbol, tick.exchangeTime!);
    }
    expect(client.frames.some((f) => f.startsWith('{"channel":"trade"') && ticksOf(f).length > 1)).toBe(true);
    expect(simulator.violations).toEqual([]);
  });

  it('prints numbers with the precision of the instrument', async () => {
    const simulator = await start({ exchange: 'kraken', symbols: 1, rate: 1000, tradeShare: 0.5 });
    const client = await connect(`${simulator.url}/v2`);
    client.send(subscribe('trade', ['BTC/USD']));
    client.send(subscribe('ticker', ['BTC/USD'], { event_trigger: 'bbo' }));
    expect(await client.frame((f) => f.startsWith('{"channel":"trade"'))).toMatch(
      /"price":\d+\.\d,"qty":\d+\.\d{8},/,
    );
    expect(await client.frame((f) => f.startsWith('{"channel":"ticker"'))).toMatch(
      /"type":"snapshot".*"bid":\d+\.\d,/,
    );
    expect(await client.frame((f) => f.startsWith('{"channel":"ticker","type":"update"'))).toMatch(
      /"ask_qty":\d+\.\d{8},/,
    );
  });

  it('pushes its status, then acknowledges symbol by symbol with one req_id', async () => {
    const simulator = await start({ exchange: 'kraken', start: 'manual' });
    const client = await connect(`${simulator.url}/v2`);
    const status = await client.frame((f) => f.startsWith('{"channel":"status"'));
    expect(BigInt(/"connection_id":(\d+)/.exec(status)![1]!)).toBeGreaterThan(2n ** 53n);
    client.send(subscribe('trade', ['BTC/USD', 'XBT/USD', 'NOPE/USD', 'ETH/USD'], {}, 5));
    await client.until(() => client.frames.filter((f) => f.includes('"method"')).length === 4);
    const answers = client.frames
      .filter((f) => f.includes('"method"'))
      .map((f) => JSON.parse(f) as Record<string, unknown>);
    expect(answers.map(({ success, req_id }) => [success, req_id])).toEqual([
      [true, 5],
      [false, 5],
      [false, 5],
      [true, 5],
    ]);
    expect(Object.keys(answers[0]!)).toEqual([
      'method',
      'result',
      'success',
      'time_in',
      'time_out',
      'req_id',
    ]);
    expect(answers[0]?.result).toEqual({ channel: 'trade', snapshot: false, symbol: 'BTC/USD' });
    expect(answers[1]).toMatchObject({ error: 'Currency pair not supported XBT/USD', symbol: 'XBT/USD' });
    expect(answers[2]).toMatchObject({ error: 'Currency pair not supported NOPE/USD' });
    expect(answers[2]).not.toHaveProperty('symbol');
    expect(simulator.stats().acknowledgedSubscriptions).toBe(2);
    const again = await client.ask(subscribe('trade', ['BTC/USD']), (f) => f.includes('Already'));
    expect(JSON.parse(again)).toMatchObject({ success: false, error: 'Already subscribed' });
    const ended = await client.ask({
      method: 'unsubscribe',
      params: { channel: 'trade', symbol: ['BTC/USD'] },
      req_id: 6,
    });
    expect(JSON.parse(ended)).toMatchObject({ method: 'unsubscribe', success: true, req_id: 6 });
    expect(simulator.stats().subscriptions).toBe(1);
  });

  it('lists instruments on its channel, increments in scientific notation', async () => {
    const simulator = await start({ exchange: 'kraken', symbols: 100 });
    const client = await connect(`${simulator.url}/v2`);
    const text = await client.ask(
      { method: 'subscribe', params: { channel: 'instrument' }, req_id: 3 },
      (f) => f.startsWith('{"channel":"instrument"'),
    );
    expect(text).toContain('"qty_increment":1e-08');
    expect(text).toContain('"price_increment":1e-10');
    const { data } = JSON.parse(text) as {
      data: { assets: unknown[]; pairs: { symbol: string; status: string }[] };
    };
    const online = data.pairs.filter(({ status }) => status === 'online').map(({ symbol }) => symbol);
    expect(online).toEqual(simulator.symbols);
    expect(online).toContain('AAPLx/USD');
    expect(data.pairs.length).toBeGreaterThan(online.length);
    expect(client.frames.some((f) => f.includes('"result":{"channel":"instrument"'))).toBe(true);
    const rest = (await (await fetch(`${simulator.restUrl}/0/public/AssetPairs`)).json()) as {
      error: string[];
      result: Record<string, { wsname: string }>;
    };
    expect(rest.error).toEqual([]);
    expect(rest.result.XBTUSD?.wsname).toBe('XBT/USD');
  });

  it('sends a heartbeat on a quiet socket only when something is subscribed', async () => {
    const simulator = await start({ exchange: 'kraken', start: 'manual', limits: { heartbeatMs: 50 } });
    const subscribed = await connect(`${simulator.url}/v2`);
    const other = await connect(`${simulator.url}/v2`);
    subscribed.send(subscribe('trade', ['BTC/USD']));
    await subscribed.until(
      () => subscribed.frames.filter((f) => f === '{"channel":"heartbeat"}').length >= 3,
    );
    expect(other.frames.some((f) => f.includes('heartbeat'))).toBe(false);
    const pong = JSON.parse(await other.ask({ method: 'ping', req_id: 101 })) as Record<string, unknown>;
    expect(Object.keys(pong)).toEqual(['method', 'time_in', 'time_out', 'req_id']);
    expect(pong).toMatchObject({ method: 'pong', req_id: 101 });
  });

  it('closes an inactive socket', async () => {
    const simulator = await start({ exchange: 'kraken', limits: { idleMs: 80 } });
    const client = await connect(`${simulator.url}/v2`);
    await client.closed;
    expect(simulator.stats().violations).toEqual({ idle: 1 });
  });

  it('says when messages come too fast', async () => {
    const simulator = await start({ exchange: 'kraken', limits: { messagesPerSecond: 2 } });
    const client = await connect(`${simulator.url}/v2`);
    for (let id = 0; id < 3; id++) client.send({ method: 'ping', req_id: id });
    await client.frame((f) => f === '{"Error":"Exceeded msg rate"}');
    expect(simulator.stats().violations).toEqual({ 'message-rate': 1 });
  });

  it('repeats the last trades in a snapshot when asked, marked as such in the ledger', async () => {
    const simulator = await start({ exchange: 'kraken', symbols: 1, rate: 2000, tradeShare: 1 });
    const first = await connect(`${simulator.url}/v2`);
    first.send(subscribe('trade', ['BTC/USD']));
    await first.until(() => first.frames.length > 80);
    simulator.stopMarket();
    const second = await connect(`${simulator.url}/v2`);
    const snapshot = await second.ask(subscribe('trade', ['BTC/USD'], { snapshot: true }), (f) =>
      f.startsWith('{"channel":"trade","type":"snapshot"'),
    );
    const entries = [...simulator.ledger.entries()];
    const repeated = entries.filter((entry) => entry.snapshot);
    expect(repeated).toHaveLength(50);
    expect(ticksOf(snapshot)).toEqual(repeated.map(tickOf));
    expect(repeated.map(tickOf)).toEqual(
      entries
        .filter((entry) => !entry.snapshot)
        .slice(-50)
        .map(tickOf),
    );
  });
});
