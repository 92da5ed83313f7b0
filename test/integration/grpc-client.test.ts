import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { status as codes } from '@grpc/grpc-js';
import {
  MarketDataClient,
  type MarketDataClientOptions,
  NoPodError,
  type TickEvent,
  type TickSubscription,
} from '@tickline/schemas/grpc';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/stack/free-port.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import type { GrpcSettings } from '../../services/ingestor/src/sinks/grpc/settings.ts';
import { entry, SimulatedPod } from '../../services/ingestor/src/sinks/grpc/testing/simulated-pod.ts';
import type { DirectoryEntry } from '../../services/ingestor/src/sinks/sink-context.ts';
import { eventually } from '../support/eventually.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** As many pods as shards, each of which knows the addresses of all. */
async function pods(count: number, entries: readonly DirectoryEntry[]): Promise<SimulatedPod[]> {
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  const peerAddress = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return Promise.all(
    ports.map((port, index) => podAt(port, entries, { index, count }, { peerAddress, port })),
  );
}

async function podAt(
  port: number,
  entries: readonly DirectoryEntry[],
  shard: { index?: number; count?: number; producer?: string } = {},
  settings: Partial<GrpcSettings> = {},
): Promise<SimulatedPod> {
  const pod = await SimulatedPod.start({ port, ...settings }, entries, shard);
  closers.push(() => pod.stop());
  return pod;
}

function clientOf(
  addresses: readonly string[],
  options: Partial<MarketDataClientOptions> = {},
): MarketDataClient {
  const client = new MarketDataClient({ addresses, backoffMs: { first: 20, longest: 100 }, ...options });
  closers.push(() => client.close());
  return client;
}

/** Reads in the background and keeps what came. */
class Following {
  readonly events: TickEvent[] = [];
  failure: unknown = null;
  readonly ended: Promise<void>;

  constructor(subscription: TickSubscription) {
    this.ended = (async () => {
      try {
        for await (const event of subscription) this.events.push(event);
      } catch (error) {
        this.failure = error;
      }
    })();
  }

  get records() {
    return this.events.flatMap((event) =>
      event.kind === 'trade' || event.kind === 'quote' ? [event.record] : [],
    );
  }

  get gaps() {
    return this.events.filter(({ kind }) => kind === 'gap');
  }

  async live(count: number): Promise<void> {
    await eventually(`${count} live connections`, () => {
      const live = this.events.filter((event) => event.kind === 'connection' && event.state === 'live');
      return live.length >= count || undefined;
    });
  }

  async has(count: number): Promise<void> {
    await eventually(`${count} ticks`, () => this.records.length >= count || undefined);
  }
}

/** A way to a pod that can break. */
async function networkTo(pod: SimulatedPod): Promise<{ address: string; break: () => void }> {
  const sockets = new Set<Socket>();
  const [host, port] = pod.address.split(':');
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    breakAll();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, break: breakAll };
}

const twoShards = [
  entry('binance', 'BTC-USDT', [0]),
  entry('binance', 'ETH-USDT', [1]),
  entry('okx', 'BTC-USDT', [1]),
];

describe('the client', () => {
  it('finds the owners from any pod and reads from all of them', async () => {
    const [first, second] = await pods(2, twoShards);
    const client = clientOf([first!.address]);
    const following = new Following(
      client.subscribe({ symbols: ['BTC-USDT', 'ETH-*'], channels: ['trades'] }),
    );
    await following.live(2);
    const appended = [
      first!.trade('binance', 'BTC-USDT', { price: '0.000000000000000001' }),
      second!.trade('okx', 'BTC-USDT', { price: '99999999999999999999.999999999999999999' }),
      second!.trade('binance', 'ETH-USDT'),
    ];
    await following.has(3);
    expect(following.records).toEqual(expect.arrayContaining(appended));
    expect(following.records.length).toBe(3);
    expect(following.gaps).toEqual([]);
    const instruments = await client.listInstruments({ symbols: ['BTC-*'] });
    expect(instruments.map(({ owners }) => owners[0]?.address)).toEqual([first!.address, second!.address]);
    expect((await client.getStatus(second!.address)).owner?.shard).toBe(1);
  });

  it('asks the next pod when the first is away', async () => {
    const [, second] = await pods(2, twoShards);
    const dead = `127.0.0.1:${await freePort()}`;
    const client = clientOf([dead, second!.address], { timeoutMs: 2_000 });
    expect((await client.listInstruments()).length).toBe(3);
    await expect(clientOf([dead], { timeoutMs: 500 }).listInstruments()).rejects.toThrow(NoPodError);
  });

  it('reconnects to a pod that was gone, and tells what was missed', async () => {
    const port = await freePort();
    const entries = [entry('binance', 'BTC-USDT')];
    const pod = await podAt(port, entries);
    const following = new Following(
      clientOf([pod.address]).subscribe({ symbols: ['*'], channels: ['trades'] }),
    );
    await following.live(1);
    pod.trade('binance', 'BTC-USDT');
    await following.has(1);
    await pod.stop();
    const next = await podAt(port, entries, { producer: 'second-life' });
    next.trade('binance', 'BTC-USDT');
    await following.live(2);
    await following.has(2);
    expect(following.gaps).toEqual([
      {
        kind: 'gap',
        exchange: 'binance',
        symbol: 'BTC-USDT',
        channel: 'trades',
        producer: 'producer0',
        firstSequence: null,
        lastSequence: null,
      },
    ]);
    expect(following.events.filter((event) => event.kind === 'connection').map(({ state }) => state)).toEqual(
      expect.arrayContaining(['live', 'lost', 'live']),
    );
  });

  it('numbers what is missing', async () => {
    const entries = [entry('binance', 'BTC-USDT'), entry('binance', 'ETH-USDT')];
    const pod = await podAt(0, entries);
    const following = new Following(
      clientOf([pod.address]).subscribe({ symbols: ['*'], channels: ['trades'] }),
    );
    await following.live(1);
    const seen = pod.trade('binance', 'ETH-USDT');
    pod.trade('binance', 'BTC-USDT');
    await following.has(2);
    // The pod lost ticks before any sink.
    pod.skip('binance', 'BTC-USDT', 'trades', 3);
    const last = pod.trade('binance', 'BTC-USDT');
    await following.has(3);
    expect(following.gaps).toEqual([
      expect.objectContaining({
        symbol: 'BTC-USDT',
        firstSequence: 2,
        lastSequence: 4,
        producer: 'producer0',
      }),
    ]);
    expect(following.records).toEqual(expect.arrayContaining([seen, last]));
  });

  it('leaves out the last value that it has, when it comes again', async () => {
    const entries = [entry('binance', 'BTC-USDT')];
    const pod = await podAt(0, entries);
    const network = await networkTo(pod);
    const client = clientOf([network.address], { resolve: () => network.address });
    const following = new Following(client.subscribe({ symbols: ['*'] }));
    await following.live(1);
    pod.trade('binance', 'BTC-USDT');
    await following.has(1);
    network.break();
    await following.live(2);
    pod.trade('binance', 'BTC-USDT');
    await following.has(2);
    expect(following.records.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(following.gaps).toEqual([]);
  });

  it('follows a symbol to its new owner', async () => {
    const [first, second] = await pods(2, [entry('binance', 'BTC-USDT', [0])]);
    const client = clientOf([first!.address], { refreshMs: 50 });
    const following = new Following(client.subscribe({ symbols: ['BTC-USDT'], channels: ['trades'] }));
    await following.live(1);
    for (const pod of [first!, second!]) pod.move('binance', 'BTC-USDT', [1]);
    await following.live(2);
    const trade = second!.trade('binance', 'BTC-USDT');
    await following.has(1);
    expect(following.records).toEqual([trade]);
    await eventually('it has left the first', () => first!.sink.reading().clients === 0 || undefined);
  });

  it('ends with the reason when asking again can not help', async () => {
    const [pod] = await pods(1, [entry('binance', 'BTC-USDT')]);
    const following = new Following(clientOf([pod!.address]).subscribe({ symbols: ['DOGE-USDT'] }));
    await following.ended;
    expect(following.failure).toMatchObject({ code: codes.NOT_FOUND });
  });

  it('sends the token that is in force', async () => {
    const scratch = join(repositoryRoot, '.tickline');
    mkdirSync(scratch, { recursive: true });
    const folder = mkdtempSync(join(scratch, 'grpc-client-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'secret\n');
    const pod = await podAt(0, [entry('binance', 'BTC-USDT')], {}, { tokenFile });
    await expect(clientOf([pod.address]).listInstruments()).rejects.toMatchObject({
      code: codes.UNAUTHENTICATED,
    });
    const client = clientOf([pod.address], { token: () => 'secret' });
    expect((await client.listInstruments()).length).toBe(1);
    const following = new Following(client.subscribe({ symbols: ['*'] }));
    await following.live(1);
  });

  it('ends the iteration when it is closed or its signal aborts', async () => {
    const [pod] = await pods(1, [entry('binance', 'BTC-USDT')]);
    const abort = new AbortController();
    const following = new Following(clientOf([pod!.address]).subscribe({ symbols: ['*'] }, abort.signal));
    await following.live(1);
    abort.abort();
    await following.ended;
    expect(following.failure).toBeNull();
    await eventually('the pod has let go', () => pod!.sink.reading().clients === 0 || undefined);
  });
});
