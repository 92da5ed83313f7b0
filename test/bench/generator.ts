/**
 * The benchmark's exchange, a process of its own: answers Binance's listing, acknowledges every
 * subscription, and then writes trade frames as fast as the sockets take them.
 *
 * It prints `{"port":…,"symbols":[…]}` when it listens. A line `go N` on standard input lets it write N frames, over
 * all sockets; it answers `{"sent":N}` when the last one is in the kernel's hands.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { TradeRing } from './trade-frames.ts';

const SYMBOLS = 100;
const ROUNDS = 4;
/** At most so many in one write. */
const FRAMES_PER_WRITE = 400;
/** JSON numbers may not begin with a zero, so ids start where all have their ten digits. */
const FIRST_ID = 1_000_000_000;

const bases = Array.from({ length: SYMBOLS }, (_, index) => `BENCH${String(index).padStart(3, '0')}`);

const listing = JSON.stringify({
  timezone: 'UTC',
  serverTime: Date.now(),
  rateLimits: [],
  symbols: bases.map((base) => ({
    symbol: `${base}USDT`,
    status: 'TRADING',
    baseAsset: base,
    baseAssetPrecision: 8,
    quoteAsset: 'USDT',
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    isSpotTradingAllowed: true,
    permissions: [],
    permissionSets: [['SPOT']],
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: '0.01000000',
        maxPrice: '1000000.00000000',
        tickSize: '0.01000000',
      },
      { filterType: 'LOT_SIZE', minQty: '0.00001000', maxQty: '9000.00000000', stepSize: '0.00001000' },
    ],
  })),
});

interface Subscriber {
  readonly socket: Duplex;
  /** Each symbol's ids come over one socket, in order. */
  readonly symbols: string[];
  ring: TradeRing | null;
}

const subscribers: Subscriber[] = [];

const server = createServer((request, response) => {
  const known = request.url?.startsWith('/api/v3/exchangeInfo');
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' }).end(known ? listing : '{}');
});
const upgrades = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  upgrades.handleUpgrade(request, socket, head, (client) => {
    const own: Subscriber = { socket, symbols: [], ring: null };
    subscribers.push(own);
    client.on('close', () => subscribers.splice(subscribers.indexOf(own), 1));
    client.on('message', (data) => {
      const message = JSON.parse(String(data)) as { method: string; params?: string[]; id: number };
      if (message.method === 'SUBSCRIBE') {
        for (const stream of message.params ?? []) own.symbols.push(stream.split('@')[0]!.toUpperCase());
      }
      client.send(JSON.stringify({ result: null, id: message.id }));
    });
  });
});

/** Writes `count` frames over all sockets, and returns when the last is in the kernel's hands. */
async function send(count: number): Promise<number> {
  const fed = subscribers.filter(({ symbols }) => symbols.length > 0);
  if (fed.length === 0) throw new Error('nobody has subscribed');
  let sent = 0;
  while (sent < count) {
    const nowMs = Date.now();
    for (const subscriber of fed) {
      if (sent === count) break;
      subscriber.ring ??= new TradeRing(subscriber.symbols, ROUNDS, FIRST_ID);
      const { bytes, frames } = subscriber.ring.take(Math.min(FRAMES_PER_WRITE, count - sent), nowMs);
      if (!subscriber.socket.write(bytes)) await once(subscriber.socket, 'drain');
      sent += frames;
    }
  }
  return sent;
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, symbols: bases.map((base) => `${base}-USDT`) })}\n`);
});

for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(' ');
  if (command === 'go') process.stdout.write(`${JSON.stringify({ sent: await send(Number(count)) })}\n`);
}
process.exit(0);
