import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { KafkaSinkError } from '../sinks/kafka/kafka-sink.ts';
import type { Sink } from '../sinks/sink.ts';
import { runCommand } from './run.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => new Promise((resolve) => server.close(() => resolve(undefined)))),
  );
});

/** Answers every question with this; resolves with its port. */
async function serve(status: number, body: object): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Binance's exchangeInfo with these native names, all of BTC and USDT unless said otherwise. */
function listing(...instruments: { symbol: string; baseAsset?: string }[]): object {
  return {
    symbols: instruments.map(({ symbol, baseAsset = 'BTC' }) => ({
      symbol,
      status: 'TRADING',
      baseAsset,
      quoteAsset: 'USDT',
      filters: [],
    })),
  };
}

/** The sinks of the next run. */
let sinks: readonly Sink[] = [];

async function run(...argv: string[]): Promise<{ code: number; log: string }> {
  let log = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      log += String(chunk);
      done();
    },
  });
  const code = await runCommand(
    [
      '--shard.index=0',
      '--shard.count=1',
      '--exchanges.binance.endpoints.websocket=ws://127.0.0.1:9',
      ...argv,
    ],
    { env: {}, stdout, stderr: new PassThrough(), version: '0' },
    () => sinks,
  );
  return { code, log };
}

describe('run', () => {
  it('closes its status server when the metrics server can not listen', async () => {
    const taken = await serve(200, {});
    const free = await freePort();
    const { code, log } = await run(
      '--kafka.enabled=false',
      '--grpc.enabled=true',
      '--exchanges.binance.symbols=BTC-USDT',
      `--status.port=${free}`,
      `--metrics.port=${taken}`,
      '--metrics.host=127.0.0.1',
    );
    expect(code).toBe(1);
    expect(log).toContain('set metrics.port to a free port');
    await expect(fetch(`http://127.0.0.1:${free}/livez`)).rejects.toThrow('fetch failed');
  });

  it('exits as for a refused configuration when a sink refuses its settings', async () => {
    const refusal = new KafkaSinkError('topic "md.trades" does not exist');
    sinks = [
      {
        name: 'kafka',
        format: 'json',
        mayRefuse: true,
        start: () => Promise.reject(refusal),
        stream: () => ({ append: () => true }),
        deadLetter: () => undefined,
        flush: () => Promise.resolve(true),
        close: () => Promise.resolve(),
        status: () => ({
          sink: 'kafka',
          healthy: false,
          detail: null,
          queuedRecords: 0,
          queuedBytes: 0,
          queueLimitBytes: 0,
          acknowledged: 0,
          dropped: 0,
        }),
      },
    ];
    const { code, log } = await run(
      '--kafka.enabled=false',
      '--grpc.enabled=true',
      '--exchanges.binance.symbols=BTC-USDT',
      '--status.port=0',
      '--metrics.port=0',
    );
    sinks = [];
    expect(log).toContain('md.trades');
    expect(code).toBe(2);
  });

  it('refuses a configuration in which two instruments are one symbol', async () => {
    const rest = await serve(200, listing({ symbol: 'BTCUSDT' }, { symbol: 'XBTUSDT' }));
    const { code, log } = await run(
      '--kafka.enabled=false',
      '--grpc.enabled=true',
      '--exchanges.binance.symbols=BTC-USDT',
      `--exchanges.binance.endpoints.rest=http://127.0.0.1:${rest}`,
      '--status.port=0',
      '--metrics.port=0',
    );
    expect(log).toContain('exchanges.binance.symbols');
    expect(code).toBe(2);
  });

  it('refuses a configuration that needs more connections than it allows', async () => {
    const rest = await serve(200, listing({ symbol: 'BTCUSDT' }, { symbol: 'ETHUSDT', baseAsset: 'ETH' }));
    const { code, log } = await run(
      '--kafka.enabled=false',
      '--grpc.enabled=true',
      '--exchanges.binance.symbols=BTC-USDT,ETH-USDT',
      '--exchanges.binance.limits.topicsPerConnection=1',
      '--exchanges.binance.limits.connections=1',
      `--exchanges.binance.endpoints.rest=http://127.0.0.1:${rest}`,
      '--status.port=0',
      '--metrics.port=0',
    );
    expect(log).toContain('limits.topicsPerConnection');
    expect(code).toBe(2);
  });

  it('does not wait for a registry that refuses its user', async () => {
    const registry = await serve(401, { error_code: 401, message: 'no' });
    const sink = {
      format: 'avro',
      status: () => ({ queueLimitBytes: 7, queuedRecords: 0 }),
      flush: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    };
    let log = '';
    const stdout = new PassThrough().on('data', (chunk) => {
      log += String(chunk);
    });
    const outcome = runCommand(
      [
        '--shard.index=0',
        '--shard.count=1',
        '--exchanges.binance.symbols=BTC-USDT',
        '--kafka.brokers=127.0.0.1:9',
        `--registry.url=http://127.0.0.1:${registry}`,
        '--status.port=0',
        '--metrics.port=0',
      ],
      { env: {}, stdout, stderr: new PassThrough(), version: '0' },
      () => [sink as never],
    );
    expect(await outcome).toBe(2);
    // The queues of the sinks that were made, whatever the configuration holds for others.
    expect(log).toContain('"queueBytes":7,');
  });
});
