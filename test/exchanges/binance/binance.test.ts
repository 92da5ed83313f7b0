import { describe, expect, it } from 'vitest';
import type { RawClient } from '../raw-client.ts';
import { eventually, type Tick, testBench, tickOf } from '../test-bench.ts';

const { start, connect } = testBench();

const micros = (time: number): number => (time > 1e15 ? time : time * 1000);

/** The ticks of a frame, by an independent reading of the brief's field table. */
function ticksOf(frame: string): Tick[] {
  const outer = JSON.parse(frame) as Record<string, unknown>;
  const data = (outer.data ?? outer) as Record<string, string> & {
    t: number;
    T: number;
    a: unknown;
    m: unknown;
  };
  if (data.e === 'trade' || data.e === 'aggTrade') {
    return [
      {
        channel: 'trades',
        exchangeSymbol: data.s!,
        id: String(data.e === 'trade' ? data.t : data.a),
        count: 1,
        exchangeTime: micros(data.T),
        price: data.p!,
        quantity: data.q!,
        side: data.m === true ? 'sell' : 'buy',
      },
    ];
  }
  if (data.b === undefined) return [];
  return [
    {
      channel: 'quotes',
      exchangeSymbol: data.s!,
      id: String(data.u),
      exchangeTime: null,
      bidPrice: data.b,
      bidQuantity: data.B!,
      askPrice: String(data.a),
      askQuantity: data.A!,
    },
  ];
}

const subscribe = (params: string[], id = 1) => ({ method: 'SUBSCRIBE', params, id });
const both = (symbols: readonly string[]) =>
  symbols.flatMap((symbol) => [`${symbol.toLowerCase()}@trade`, `${symbol.toLowerCase()}@bookTicker`]);

describe('Binance: data', () => {
  it('writes to its ledger what a client receives, digit for digit', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 60, rate: 5000, tradeShare: 0.5 });
    const client = await connect(`${simulator.url}/stream`);
    expect(await client.ask(subscribe(both(simulator.symbols)))).toBe('{"result":null,"id":1}');
    await client.until(() => client.frames.length > 2000);
    simulator.stopMarket();
    await client.until(() => client.frames.length === simulator.ledger.size + 1);
    expect(client.frames.flatMap(ticksOf)).toEqual([...simulator.ledger.entries()].map(tickOf));
    expect(new Set([...simulator.ledger.entries()].map((entry) => entry.acknowledged))).toEqual(
      new Set([true]),
    );
    expect(simulator.unheard.size).toBe(0);
    expect(simulator.violations).toEqual([]);
  });

  it('has the documented keys in the documented order, wrapped or not, in either time unit', async () => {
    const simulator = await start({ exchange: 'binance', rate: 2000, symbols: 3 });
    const raw = await connect(`${simulator.url}/ws/btcusdt@trade/btcusdt@bookTicker/btcusdt@aggTrade`);
    const wrapped = await connect(`${simulator.url}/stream?streams=btcusdt@trade&timeUnit=MICROSECOND`);
    const trade = JSON.parse(await raw.frame((f) => f.startsWith('{"e":"trade"'))) as Record<string, unknown>;
    expect(Object.keys(trade)).toEqual(['e', 'E', 's', 't', 'p', 'q', 'T', 'm', 'M']);
    expect(String(trade.T)).toHaveLength(13);
    const quote = await raw.frame((f) => f.startsWith('{"u":'));
    expect(Object.keys(JSON.parse(quote) as object)).toEqual(['u', 's', 'b', 'B', 'a', 'A']);
    const aggregate = JSON.parse(await raw.frame((f) => f.includes('aggTrade'))) as Record<string, unknown>;
    expect(Object.keys(aggregate)).toEqual(['e', 'E', 's', 'a', 'p', 'q', 'f', 'l', 'T', 'm', 'M']);
    const { stream, data } = JSON.parse(await wrapped.frame(() => true)) as {
      stream: string;
      data: typeof trade;
    };
    expect(stream).toBe('btcusdt@trade');
    expect(data.p).toMatch(/^\d+\.\d{8}$/);
    expect(String(data.T)).toHaveLength(16);
    const entry = [...simulator.ledger.entries()].find(
      ({ connection, id }) => connection === 'binance-2' && id === String(data.t),
    );
    expect(entry?.exchangeTime).toBe(data.T);
  });

  it('counts trade ids by one per symbol, also while nobody listens', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 2, rate: 2000, tradeShare: 1 });
    const client = await connect(`${simulator.url}/stream`);
    client.send(subscribe(['btcusdt@trade']));
    await client.until(() => client.frames.length > 20);
    client.end();
    await client.closed;
    await eventually(() => expect(simulator.unheard.size).toBeGreaterThan(10));
    const again = await connect(`${simulator.url}/stream`);
    again.send(subscribe(['btcusdt@trade']));
    await again.until(() => again.frames.length > 20);
    simulator.stopMarket();
    const ids = [...simulator.ledger.entries(), ...simulator.unheard.entries()].map(({ id }) => Number(id));
    ids.sort((a, b) => a - b);
    expect(ids).toEqual(ids.map((_, at) => ids[0]! + at));
  });
});

describe('Binance: control messages', () => {
  it('acknowledges what is only syntactically right, and stays silent', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 5, rate: 1000 });
    const client = await connect(`${simulator.url}/stream`);
    const names = ['nopeusdt@trade', 'BTCUSDT@trade', 'btcusdt@trade@250ms', 'rest01usdt@trade'];
    expect(await client.ask(subscribe(names, 7))).toBe('{"result":null,"id":7}');
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 'x1' })).toBe(
      JSON.stringify({ result: names, id: 'x1' }),
    );
    await client.ask(subscribe(['btcusdt@bookTicker'], 8));
    await client.until(() => client.frames.length > 50);
    expect(client.frames.slice(3).every((f) => f.startsWith('{"stream":"btcusdt@bookTicker"'))).toBe(true);
    expect(simulator.stats().refusedSymbols).toEqual(['nopeusdt@trade', 'BTCUSDT@trade']);
  });

  it('answers errors in the flat form and rejects the whole batch of an ill-formed stream', async () => {
    const limits = { messagesPerSecond: Infinity };
    const simulator = await start({ exchange: 'binance', symbols: 5, limits });
    const client = await connect(`${simulator.url}/stream`);
    const code = async (message: object | string) =>
      (JSON.parse(await client.ask(message)) as { code: number }).code;
    expect(await client.ask(subscribe(['btcusdt@trade', 'nonsense'], 3))).toBe(
      '{"code":2,"msg":"Invalid request: invalid stream","id":3}',
    );
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 4 })).toBe('{"result":[],"id":4}');
    expect(await code({ method: 'NOPE', id: 1 })).toBe(2);
    expect(await code({ id: 1 })).toBe(2);
    expect(await code({ method: 'SUBSCRIBE', id: 1 })).toBe(2);
    expect(await code({ method: 'LIST_SUBSCRIPTIONS', id: 1.5 })).toBe(2);
    expect(await code('{"method":')).toBe(3);
    expect(await code({ method: 'SET_PROPERTY', params: ['nope', true], id: 1 })).toBe(0);
    expect(await code({ method: 'SET_PROPERTY', params: ['combined', 1], id: 1 })).toBe(1);
    expect(await client.ask({ method: 'GET_PROPERTY', params: ['combined'], id: 9 })).toBe(
      '{"result":true,"id":9}',
    );
    expect(simulator.stats().violations).toEqual({ 'invalid-request': 5, 'invalid-json': 1 });
  });

  it('stops a stream on UNSUBSCRIBE', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 2, rate: 1000, tradeShare: 1 });
    const client = await connect(`${simulator.url}/stream`);
    await client.ask(subscribe(['btcusdt@trade', 'ethusdt@trade']));
    await client.frame((f) => f.includes('btcusdt'));
    const answer = await client.ask({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 2 }, (f) =>
      f.includes('"id":2'),
    );
    expect(answer).toBe('{"result":null,"id":2}');
    const from = client.frames.indexOf(answer);
    await client.until(() => client.frames.length > from + 50);
    expect(client.frames.slice(from).some((f) => f.includes('btcusdt'))).toBe(false);
    expect(simulator.connections[0]?.subscriptions[0]?.endedAt).toBeTypeOf('number');
  });
});

describe('Binance: limits', () => {
  it('ends a connection with its 1025th stream, after an error', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 600 });
    const client = await connect(`${simulator.url}/stream`);
    const streams = both(simulator.symbols);
    await client.ask(subscribe(streams.slice(0, 1024)), (f) => f.includes('"id":1'));
    client.send(subscribe(streams.slice(1024, 1025), 2));
    expect(await client.closed).toBe(1008);
    expect(client.frames).toContain('{"error":{"code":4,"msg":"Too many subscriptions"}}');
    expect(simulator.stats().violations).toEqual({ 'streams-per-connection': 1 });
    expect(simulator.connections[0]).toMatchObject({ end: 'limit' });
  });

  it('counts pings, pongs and messages against 5 a second', async () => {
    const simulator = await start({ exchange: 'binance' });
    const client = await connect(`${simulator.url}/stream`);
    client.ws.ping('a');
    client.ws.pong('b');
    for (let id = 0; id < 4; id++) client.send({ method: 'LIST_SUBSCRIPTIONS', id });
    expect(await client.closed).toBe(1008);
    expect(client.pongs).toEqual(['a']);
    expect(client.frames).toHaveLength(3);
    expect(simulator.stats().violations).toEqual({ 'message-rate': 1 });
  });

  it('pings, and cuts who does not answer with the same payload', async () => {
    const limits = { pingIntervalMs: 50, pongDeadlineMs: 1000, messagesPerSecond: Infinity };
    const simulator = await start({ exchange: 'binance', limits });
    const good = await connect(`${simulator.url}/ws`);
    const bad = await connect(`${simulator.url}/ws`, false);
    bad.ws.on('ping', () => bad.ws.pong('something else'));
    expect(await bad.closed).toBe(1008);
    await good.until(() => good.pings.length > 3);
    expect(simulator.violations.map(({ kind, connection }) => [kind, connection])).toEqual([
      ['pong-deadline', 'binance-2'],
    ]);
  });

  it('refuses connections beyond the window with 429, and unknown paths with 404', async () => {
    const simulator = await start({ exchange: 'binance', limits: { connects: 2, connectBanMs: 3000 } });
    await connect(`${simulator.url}/ws`);
    await connect(`${simulator.url}/ws`);
    await expect(connect(`${simulator.url}/ws`)).rejects.toThrow('429');
    await expect(connect(`${simulator.url}/v2`)).rejects.toThrow('404');
    expect(simulator.stats().violations).toEqual({ 'connect-rate': 1 });
    expect(simulator.stats().connections).toEqual({ open: 2, opened: 2, refused: 2 });
  });

  it('closes at the end of its lifetime', async () => {
    const simulator = await start({ exchange: 'binance', limits: { lifetimeMs: 60 } });
    const client: RawClient = await connect(`${simulator.url}/ws`);
    expect(await client.closed).toBe(1001);
    expect(simulator.connections[0]?.end).toBe('lifetime');
    expect(simulator.violations).toEqual([]);
  });
});

describe('Binance: REST', () => {
  it('lists instruments in the shape of exchangeInfo', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 100 });
    const response = await fetch(`${simulator.restUrl}/api/v3/exchangeInfo`);
    expect(response.headers.get('x-mbx-used-weight-1m')).toBe('20');
    const info = (await response.json()) as {
      symbols: { symbol: string; status: string; filters: { filterType: string; tickSize?: string }[] }[];
      rateLimits: unknown[];
    };
    expect(info.rateLimits).toHaveLength(4);
    const trading = info.symbols.filter(({ status }) => status === 'TRADING');
    expect(trading.map(({ symbol }) => symbol)).toEqual(simulator.symbols);
    expect(info.symbols.length).toBeGreaterThan(trading.length);
    expect(info.symbols[0]?.filters[0]).toMatchObject({ filterType: 'PRICE_FILTER', tickSize: '0.01000000' });
    expect(info.symbols.some(({ symbol }) => symbol === '币安人生USDT')).toBe(true);
    const one = await fetch(`${simulator.restUrl}/api/v3/exchangeInfo?symbols=["ETHUSDT"]`);
    expect(((await one.json()) as typeof info).symbols).toHaveLength(1);
    const none = await fetch(`${simulator.restUrl}/api/v3/exchangeInfo?symbol=NOPE`);
    expect([none.status, await none.text()]).toEqual([400, '{"code":-1121,"msg":"Invalid symbol."}']);
  });

  it('answers 429 over the weight', async () => {
    const simulator = await start({ exchange: 'binance', limits: { restRequests: 40 } });
    const status = async () => (await fetch(`${simulator.restUrl}/api/v3/exchangeInfo`)).status;
    expect([await status(), await status(), await status()]).toEqual([200, 200, 429]);
    expect(simulator.stats().violations).toEqual({ 'rest-rate': 1 });
  });
});
