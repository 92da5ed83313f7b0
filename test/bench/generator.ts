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
import { TradeBlock } from './trade-frames.ts';

const SYMBOLS = 100;
const FRAMES_PER_BLOCK = 400;
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
  block: TradeBlock | null;
}

const subscribers: Subscriber[] = [];

const server = createServer((request, response) => {
  const known = request.url?.startsWith('/api/v3/exchangeInfo');
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' }).end(known ? listing : '{}');
});
const upgrades = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  upgrades.handleUpgrade(request, socket, head, (client) => {
    const own: Subscriber = { socket, symbols: [], block: null };
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

/** Writes about `count` frames (whole blocks) over all sockets; returns how many. */
async function send(count: number): Promise<number> {
  let sent = 0;
  while (sent < count) {
    const nowMs = Date.now();
    for (const subscriber of subscribers) {
      if (subscriber.symbols.length === 0) continue;
      subscriber.block ??= new TradeBlock(subscriber.symbols, FRAMES_PER_BLOCK, FIRST_ID);
      const { socket, block } = subscriber;
      block.advance(nowMs);
      // A copy: the block is counted on while the socket may still hold this one.
      if (!socket.write(Buffer.from(block.bytes))) await once(socket, 'drain');
      sent += block.frames;
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
