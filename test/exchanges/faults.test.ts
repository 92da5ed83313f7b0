import { describe, expect, it } from 'vitest';
import { corrupted, parseFault } from './faults.ts';
import type { ExchangeName } from './ledger.ts';
import type { RawClient } from './raw-client.ts';
import { exchangeNames, exchanges, type Simulator, type SimulatorOptions } from './simulator.ts';
import { eventually, testBench, tickOf } from './test-bench.ts';

const { start, connect } = testBench();

const paths: Record<ExchangeName, string> = {
  binance: '/stream',
  'bybit-spot': '/v5/public/spot',
  okx: '/ws/v5/public',
  kraken: '/v2',
};

/** The messages that subscribe one symbol's trades, and its quotes. */
function subscribing(exchange: ExchangeName, symbol: string): object[] {
  switch (exchange) {
    case 'binance': {
      const name = symbol.toLowerCase();
      return [{ method: 'SUBSCRIBE', params: [`${name}@trade`, `${name}@bookTicker`], id: 1 }];
    }
    case 'bybit-spot':
      return [{ req_id: 's', op: 'subscribe', args: [`publicTrade.${symbol}`, `orderbook.1.${symbol}`] }];
    case 'okx':
      return [
        {
          op: 'subscribe',
          args: [
            { channel: 'trades', instId: symbol },
            { channel: 'bbo-tbt', instId: symbol },
          ],
        },
      ];
    case 'kraken':
      return [
        { method: 'subscribe', params: { channel: 'trade', symbol: [symbol] }, req_id: 1 },
        {
          method: 'subscribe',
          params: { channel: 'ticker', symbol: [symbol], event_trigger: 'bbo' },
          req_id: 2,
        },
      ];
  }
}

const dataOf: Record<ExchangeName, RegExp> = {
  binance: /"stream":"[^"]*(trade|bookTicker)"/,
  'bybit-spot': /"topic":/,
  okx: /"data":/,
  kraken: /"channel":"(trade|ticker)","type"/,
};
const isData = (exchange: ExchangeName) => (frame: string) => dataOf[exchange].test(frame);

async function live(
  exchange: ExchangeName,
  options: Partial<SimulatorOptions> = {},
): Promise<{ simulator: Simulator; client: RawClient; symbol: string }> {
  const simulator = await start({ exchange, symbols: 2, rate: 2000, ...options });
  const client = await connect(simulator.url + paths[exchange]);
  const symbol = simulator.symbols[0]!;
  for (const message of subscribing(exchange, symbol)) client.send(message);
  await client.until(() => client.frames.filter(isData(exchange)).length > 10);
  return { simulator, client, symbol };
}

describe.each(exchangeNames)('faults of %s', (exchange) => {
  it('drop: resets or ends the socket without a closing frame, or closes it', async () => {
    const { simulator, client } = await live(exchange);
    expect(simulator.fault({ kind: 'drop' })).toBe(1);
    expect(await client.closed).toBe(1006);
    const second = await connect(simulator.url + paths[exchange]);
    const third = await connect(simulator.url + paths[exchange]);
    expect(simulator.fault({ kind: 'drop', how: 'end', connection: `${exchange}-2` })).toBe(1);
    expect(await second.closed).toBe(1006);
    simulator.fault({ kind: 'drop', how: 'close', code: 1012 });
    expect(await third.closed).toBe(1012);
    await eventually(() =>
      expect(simulator.connections.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed']),
    );
    const [first] = simulator.connections;
    expect(first?.end).toBe('fault');
    expect(first?.closedAt).toBeGreaterThanOrEqual(first!.openedAt);
    expect(
      first?.subscriptions.every(
        ({ acknowledgedAt, endedAt }) => acknowledgedAt !== null && endedAt !== null,
      ),
    ).toBe(true);
    expect(() => simulator.fault({ kind: 'drop', connection: 'nobody' })).toThrow(
      'no open connection "nobody"',
    );
  });

  it('silent: no data but answered pings, until it ends; the ticks are known as unheard', async () => {
    const { simulator, client } = await live(exchange);
    simulator.fault({ kind: 'silent' });
    const size = simulator.ledger.size;
    await eventually(() => expect(simulator.unheard.size).toBeGreaterThan(20));
    client.ws.ping('still there?');
    await client.until(() => client.pongs.includes('still there?'));
    expect(simulator.ledger.size).toBe(size);
    expect(simulator.unheard.at(0).connection).toBe(`${exchange}-1`);
    simulator.fault({ kind: 'silent', on: false });
    await eventually(() => expect(simulator.ledger.size).toBeGreaterThan(size + 20));
  });

  it('silent without pings, and half-open: not even a pong, and the socket stays', async () => {
    for (const fault of [{ kind: 'silent', answerPings: false } as const, { kind: 'half-open' } as const]) {
      const { simulator, client } = await live(exchange, { limits: { messagesPerSecond: Infinity } });
      simulator.fault(fault);
      client.ws.ping('anybody?');
      for (const message of subscribing(exchange, simulator.symbols[1]!)) client.send(message);
      // Another connection that is opened before the fault ends proves that time has passed on both.
      await eventually(() => expect(simulator.unheard.size).toBeGreaterThan(50));
      if (fault.kind === 'half-open') {
        expect(simulator.stats().subscriptions).toBe(2);
        expect(simulator.connections[0]?.state).toBe('half-open');
      }
      expect(client.pongs).toEqual([]);
      expect(client.ws.readyState).toBe(1);
      simulator.fault({ kind: 'clear' });
      const { length } = client.frames;
      await client.until(() => client.frames.length > length + 10);
      client.end();
      await simulator.close();
    }
  });

  it('half-open: new connections are deaf too, and a client that leaves is noticed', async () => {
    const { simulator, client } = await live(exchange);
    simulator.fault({ kind: 'half-open' });
    const late = await connect(simulator.url + paths[exchange]);
    late.end();
    client.end();
    await eventually(() => expect(simulator.stats().connections.open).toBe(0));
    expect(late.frames).toEqual([]);
  });

  it('half-open: no limit cuts the connection either', async () => {
    const limits = { pingIntervalMs: 20, pongDeadlineMs: 100, idleMs: 100, lifetimeMs: 10_000 };
    const { simulator, client } = await live(exchange, { limits });
    simulator.fault({ kind: 'half-open' });
    await eventually(() => expect(simulator.unheard.size).toBeGreaterThan(800));
    expect(client.ws.readyState).toBe(1);
    expect(simulator.violations).toEqual([]);
  });

  it('refuse: HTTP statuses on the upgrade, or a reset; REST goes on under a status', async () => {
    const simulator = await start({ exchange });
    for (const how of [403, 429, 503] as const) {
      simulator.fault({ kind: 'refuse', how });
      await expect(connect(simulator.url + paths[exchange])).rejects.toThrow(String(how));
    }
    expect((await fetch(`${simulator.restUrl}/nothing`)).status).toBe(404);
    simulator.fault({ kind: 'refuse', how: 'reset' });
    await expect(connect(simulator.url + paths[exchange])).rejects.toThrow();
    simulator.fault({ kind: 'refuse', on: false });
    await connect(simulator.url + paths[exchange]);
    expect(simulator.violations).toEqual([]);
  });

  it('rest: a status, or a reset', async () => {
    const simulator = await start({ exchange });
    simulator.fault({ kind: 'rest' });
    expect((await fetch(simulator.restUrl)).status).toBe(503);
    simulator.fault({ kind: 'rest', how: 'reset' });
    await expect(fetch(simulator.restUrl)).rejects.toThrow();
    simulator.fault({ kind: 'rest', how: 'hang' });
    const gaveUp = new AbortController();
    const hanging = fetch(simulator.restUrl, { signal: gaveUp.signal });
    await eventually(() => expect(simulator.stats().restRequests).toBe(3));
    gaveUp.abort();
    await expect(hanging).rejects.toThrow();
  });

  it('delay: every frame later, none lost, in order', async () => {
    const { simulator, client } = await live(exchange);
    simulator.fault({ kind: 'delay', ms: 40 });
    const before = simulator.ledger.size;
    await eventually(() => expect(simulator.ledger.size).toBeGreaterThan(before + 100));
    const entries = [...simulator.ledger.entries(before)];
    const latest = entries.filter(({ exchangeTime }) => exchangeTime !== null).at(-1)!;
    expect(latest.writeTime - latest.exchangeTime!).toBeGreaterThanOrEqual(39_000);
    simulator.stopMarket();
    simulator.fault({ kind: 'delay', ms: 0 });
    const pushes = () => client.frames.filter(isData(exchange)).length - simulator.stats().repeats;
    await eventually(() => expect(pushes()).toBe(simulator.stats().frames));
    expect(simulator.unheard.size).toBe(0);
    const trades = [...simulator.ledger.entries()].filter(({ channel }) => channel === 'trades');
    const times = trades.map(({ exchangeTime }) => exchangeTime!);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('corrupt: broken copies before the good frames, or in their place', async () => {
    const { simulator, client } = await live(exchange);
    for (const how of ['not-json', 'truncated', 'invalid-price', 'wrong-type'] as const) {
      const from = client.frames.length;
      const { injected } = simulator.stats();
      simulator.fault({ kind: 'corrupt', how, frames: 3 });
      await eventually(() => expect(simulator.stats().injected).toBe(injected + 3));
      const bad = (frame: string): boolean => {
        if (how === 'invalid-price') return /[:[]"?-1\.[05]/.test(frame);
        if (how === 'wrong-type') return /("p"|"b"|"px"|"price"|"bid"|\[\[):?true/.test(frame);
        try {
          JSON.parse(frame);
          return false;
        } catch {
          return frame !== 'pong';
        }
      };
      await client.until(() => client.frames.slice(from).filter(bad).length === 3);
    }
    expect(simulator.unheard.size).toBe(0);
    simulator.fault({ kind: 'corrupt', how: 'not-json', frames: 2, replace: true });
    await eventually(() => expect(simulator.unheard.size).toBeGreaterThanOrEqual(2));
  });

  it('unknown: well-formed frames that nobody asked for', async () => {
    const { simulator, client } = await live(exchange);
    simulator.fault({ kind: 'unknown', what: 'event', frames: 2 });
    simulator.fault({ kind: 'unknown', what: 'symbol' });
    await client.until(() => client.frames.filter((f) => /mystery/.test(f)).length === 2);
    const stranger = await client.frame((f) => f.includes('UNINVITED'));
    expect(JSON.parse(stranger)).toBeTypeOf('object');
    expect(simulator.stats().injected).toBe(3);
    const names = new Set([...simulator.ledger.entries()].map(({ exchangeSymbol }) => exchangeSymbol));
    expect([...names]).toEqual([simulator.symbols[0]]);
  });

  it('reject: refuses the symbol and takes it again afterwards', async () => {
    const simulator = await start({ exchange, symbols: 2, rate: 2000 });
    const [symbol] = simulator.symbols as [string];
    simulator.fault({ kind: 'reject', symbols: [symbol] });
    const client = await connect(simulator.url + paths[exchange]);
    for (const message of subscribing(exchange, symbol)) client.send(message);
    await client.frame((f) => /"code"|"success":false/.test(f));
    expect(simulator.stats().subscriptions).toBe(0);
    expect(simulator.stats().refusedSymbols.length).toBeGreaterThan(0);
    simulator.fault({ kind: 'reject', symbols: [symbol], on: false });
    for (const message of subscribing(exchange, symbol)) client.send(message);
    await client.frame(isData(exchange));
  });

  it('ack-silent: acknowledges and never sends', async () => {
    const simulator = await start({ exchange, symbols: 2, rate: 2000 });
    const [quiet, loud] = simulator.symbols as [string, string];
    simulator.fault({ kind: 'ack-silent', symbols: [quiet] });
    const client = await connect(simulator.url + paths[exchange]);
    for (const symbol of [quiet, loud]) {
      for (const message of subscribing(exchange, symbol)) client.send(message);
    }
    await client.until(() => client.frames.filter(isData(exchange)).length > 50);
    expect(simulator.stats().acknowledgedSubscriptions).toBe(4);
    expect([...simulator.ledger.entries()].every(({ exchangeSymbol }) => exchangeSymbol === loud)).toBe(true);
  });

  it('late-ack: data comes before the acknowledgement, and the ledger says so', async () => {
    const simulator = await start({ exchange, symbols: 1, rate: 2000 });
    simulator.fault({ kind: 'late-ack', ms: 60 });
    const client = await connect(simulator.url + paths[exchange]);
    for (const message of subscribing(exchange, simulator.symbols[0]!)) client.send(message);
    await eventually(() => expect(simulator.stats().acknowledgedSubscriptions).toBe(2));
    await eventually(() => expect(simulator.ledger.at(simulator.ledger.size - 1).acknowledged).toBe(true));
    expect(simulator.ledger.at(0).acknowledged).toBe(false);
    expect(isData(exchange)(client.frames.find((f) => !f.includes('"status"'))!)).toBe(true);
  });

  it('notice: announces the close where the exchange does', async () => {
    const { simulator, client } = await live(exchange);
    if (exchange === 'bybit-spot' || exchange === 'kraken') {
      expect(() => simulator.fault({ kind: 'notice' })).toThrow('sends no notice');
      return;
    }
    simulator.fault({ kind: 'notice', closeAfterMs: 20 });
    const notice = await client.frame((f) => /serverShutdown|64008/.test(f));
    if (exchange === 'binance') {
      expect(JSON.parse(notice)).toMatchObject({ stream: '!serverShutdown', data: { e: 'serverShutdown' } });
    } else {
      expect(JSON.parse(notice)).toMatchObject({ event: 'notice', code: '64008' });
    }
    await client.closed;
    expect(simulator.connections[0]?.end).toBe('notice');
  });

  it('slow consumer: cut when too much waits to be read', async () => {
    const limits = { outboundBytes: 200_000, repeatMs: Infinity };
    const { simulator, client } = await live(exchange, { limits, rate: 50_000 });
    client.ws.pause();
    await eventually(() => expect(simulator.stats().violations['slow-consumer']).toBe(1));
    expect(simulator.connections[0]).toMatchObject({ end: 'limit' });
    expect(simulator.connections[0]?.bytesUnsentAtEnd).toBeGreaterThan(200_000);
  });

  it('two subscribers get the same ticks, each entered for its own connection', async () => {
    const { simulator, client, symbol } = await live(exchange);
    const second = await connect(simulator.url + paths[exchange]);
    for (const message of subscribing(exchange, symbol)) second.send(message);
    await second.until(() => second.frames.filter(isData(exchange)).length > 30);
    simulator.stopMarket();
    const entries = [...simulator.ledger.entries()];
    const of = (id: string) => entries.filter(({ connection }) => connection === id).map(tickOf);
    const theirs = of(`${exchange}-2`);
    expect(theirs.length).toBeGreaterThan(20);
    expect(
      of(`${exchange}-1`)
        .slice(-theirs.length)
        .map((tick) => JSON.stringify(tick)),
    ).toEqual(theirs.map((tick) => JSON.stringify(tick)));
    client.end();
  });
});

describe('corrupted', () => {
  it('changes a price of every exchange into what no decoder may take', () => {
    const frames: Record<ExchangeName, string> = {
      binance: '{"e":"trade","p":"1.0","q":"2"}',
      'bybit-spot': '{"data":{"b":[["1.0","2"]]}}',
      okx: '{"data":[{"px":"1.0"}]}',
      kraken: '{"data":[{"price":1.0,"qty":2}]}',
    };
    for (const exchange of exchangeNames) {
      const { faultFrames } = exchanges[exchange];
      expect(corrupted(frames[exchange], 'wrong-type', faultFrames)).toMatch(/true/);
      expect(corrupted(frames[exchange], 'invalid-price', faultFrames)).toMatch(/-1\./);
    }
  });
});

describe('parseFault', () => {
  it('takes what makes sense and names what does not', () => {
    expect(parseFault({ kind: 'delay', ms: 5 })).toEqual({ kind: 'delay', ms: 5 });
    expect(() => parseFault({ kind: 'nope' })).toThrow('fault.kind must be one of drop, silent');
    expect(() => parseFault(null)).toThrow('fault.kind');
    expect(() => parseFault({ kind: 'delay' })).toThrow('needs ms: a number');
    expect(() => parseFault({ kind: 'reject' })).toThrow('needs symbols');
    expect(() => parseFault({ kind: 'corrupt', how: 'x' })).toThrow('needs how');
  });
});
