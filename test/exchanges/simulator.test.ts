import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startSimulator } from './simulator.ts';
import { eventually, testBench } from './test-bench.ts';

const { start, connect } = testBench();
const subscribe = (symbols: readonly string[]) => ({
  method: 'SUBSCRIBE',
  params: symbols.flatMap((s) => [`${s.toLowerCase()}@trade`, `${s.toLowerCase()}@bookTicker`]),
  id: 1,
});

describe('startSimulator', () => {
  it('refuses options that make no sense', async () => {
    await expect(startSimulator({ exchange: 'nope' as 'okx' })).rejects.toThrow(
      'exchange must be one of binance',
    );
    await expect(startSimulator({ exchange: 'okx', symbols: 0 })).rejects.toThrow('symbols must be');
    await expect(startSimulator({ exchange: 'okx', tradeShare: 2 })).rejects.toThrow('tradeShare must be');
  });

  it('starts the market at the first subscription, at once, or when told', async () => {
    const first = await start({ exchange: 'binance' });
    const client = await connect(`${first.url}/stream`);
    expect(first.stats().running).toBe(false);
    await client.ask(subscribe(['BTCUSDT']));
    expect(first.stats().running).toBe(true);
    first.stopMarket();
    const later = await connect(`${first.url}/stream`);
    await later.ask(subscribe(['ETHUSDT']));
    expect(first.stats().running).toBe(false);
    expect((await start({ exchange: 'binance', start: 'now' })).stats().running).toBe(true);
    const manual = await start({ exchange: 'binance', start: 'manual' });
    const quiet = await connect(`${manual.url}/stream`);
    await quiet.ask(subscribe(['BTCUSDT']));
    expect(manual.stats().running).toBe(false);
    manual.startMarket();
    await quiet.until(() => quiet.frames.length > 5);
  });

  it('reaches every one of 2,000 symbols', async () => {
    const simulator = await start({ exchange: 'binance', symbols: 2000, rate: 20_000 });
    const { symbols } = simulator;
    for (let at = 0; at < symbols.length; at += 500) {
      const client = await connect(`${simulator.url}/stream`);
      client.send(subscribe(symbols.slice(at, at + 500)));
    }
    const touched = new Set<string>();
    let read = 0;
    await eventually(() => {
      for (; read < simulator.ledger.size; read++) {
        const { exchangeSymbol, channel } = simulator.ledger.at(read);
        touched.add(`${channel}:${exchangeSymbol}`);
      }
      expect(touched.size).toBe(4000);
    });
    expect(simulator.violations).toEqual([]);
  });

  it('changes its rate while it runs', async () => {
    const simulator = await start({ exchange: 'binance', rate: 0 });
    const client = await connect(`${simulator.url}/stream`);
    await client.ask(subscribe(['BTCUSDT']));
    expect(simulator.stats()).toMatchObject({ running: true, frames: 0 });
    simulator.setRate(5000);
    await client.until(() => client.frames.length > 100);
    expect(() => simulator.setRate(-1)).toThrow('rate must be');
  });

  it('compresses only when it was told to and the client asks', async () => {
    for (const compression of [true, false]) {
      const simulator = await start({ exchange: 'binance', compression });
      const ws = new WebSocket(`${simulator.url}/stream?streams=btcusdt@trade`);
      const [data] = (await once(ws, 'message')) as [Buffer];
      expect(ws.extensions).toBe(compression ? 'permessage-deflate' : '');
      expect(JSON.parse(data.toString())).toHaveProperty('data.p');
      ws.terminate();
    }
  });

  it('comes back on the same port', async () => {
    const simulator = await start({ exchange: 'binance' });
    const client = await connect(`${simulator.url}/stream`);
    const port = Number(new URL(simulator.url).port);
    await simulator.close();
    expect(await client.closed).toBe(1006);
    await expect(connect(`${simulator.url}/stream`)).rejects.toThrow('ECONNREFUSED');
    const again = await start({ exchange: 'binance', port });
    expect(again.url).toBe(simulator.url);
    await connect(`${again.url}/stream`);
  });
});
