import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TickChannel } from '@tickline/schemas';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Control, Exchange, FeedLimits } from '../exchanges/exchange.ts';
import type { IndexedInstrument } from '../exchanges/instrument.ts';

/** For tests: an instrument by its slot. */
export function testInstrument(slot: number): IndexedInstrument {
  return {
    exchange: 'binance',
    symbol: `S${slot}-USDT`,
    exchangeSymbol: `S${slot}USDT`,
    kind: 'spot',
    base: `S${slot}`,
    quote: 'USDT',
    settle: 'USDT',
    status: 'trading',
    nativeStatus: 'TRADING',
    priceIncrement: null,
    quantityIncrement: null,
    contractSize: null,
    inverse: false,
    expiry: null,
    slot,
  };
}

export const TEST_LIMITS: FeedLimits = {
  topicsPerConnection: 100,
  topicCharactersPerConnection: Infinity,
  topicsPerRequest: 100,
  requestBytes: 100_000,
  messagesPerSecond: 1000,
  messageBurst: 1000,
  messagesPerHour: Infinity,
  connectBurst: 1000,
  connectsPerMinute: 60_000,
  connections: 100,
  frameBytes: 100_000,
  sessionLifetimeMs: Infinity,
};

/** What the scripted exchange is asked. */
export interface TestRequest {
  readonly op: 'subscribe' | 'unsubscribe' | 'ping';
  readonly id: number;
  readonly topics: readonly string[];
}

/** Frames are either a control, in our own words, or a tick. */
export type TestFrame = { readonly control: Control } | { readonly tick: readonly [TickChannel, number] };

/** An exchange for tests: requests are JSON of a TestRequest, topics are `trades/3`. */
export function testExchange(heartbeat: Partial<Exchange['heartbeat']> = {}): Exchange {
  const request = (op: TestRequest['op']) => (topics: readonly { name: string }[], id: number) =>
    JSON.stringify({ op, id, topics: topics.map(({ name }) => name) });
  return {
    name: 'binance',
    channels: ['trades', 'quotes'],
    endpoints: { websocket: 'ws://127.0.0.1:9', rest: 'http://127.0.0.1:9' },
    limits: TEST_LIMITS,
    heartbeat: {
      kind: 'message',
      pingAfterMs: 3_600_000,
      pingWhen: 'silence',
      ping: (id) => JSON.stringify({ op: 'ping', id, topics: [] }),
      ...heartbeat,
    },
    tradeIds: 'opaque',
    socketUrl: (base) => `${base}/stream`,
    topic(channel, instrument) {
      const name = `${channel}/${instrument.symbol.slice(1, -5)}`;
      return { name, channel, instrument, requestGroup: '', characters: name.length };
    },
    subscribe: request('subscribe'),
    unsubscribe: request('unsubscribe'),
    createDecoder: () => ({ decode: () => undefined }),
    fetchInstruments: () => Promise.resolve([]),
    parseInstruments: () => [],
  };
}

/** One accepted socket of the scripted exchange. */
export class Peer {
  readonly requests: TestRequest[] = [];
  /** Control-frame pings of the client. */
  pings = 0;
  closed = false;
  closeCode: number | null = null;
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  /** Topics of all requests of a kind, in order. */
  asked(op: TestRequest['op']): string[] {
    return this.requests.filter((request) => request.op === op).flatMap(({ topics }) => topics);
  }

  control(control: Control): void {
    this.socket.send(JSON.stringify({ control }));
  }

  /** A tick of each topic, as text frames. */
  ticks(topics: readonly string[]): void {
    for (const topic of topics) {
      const [channel, slot] = topic.split('/');
      this.socket.send(JSON.stringify({ tick: [channel, Number(slot)] }));
    }
  }

  /** Acknowledges the whole request, and gives a tick of each topic subscribed. */
  answer(request: TestRequest): void {
    this.acknowledge(request);
    if (request.op === 'subscribe') this.ticks(request.topics);
  }

  acknowledge(request: TestRequest): void {
    if (request.op === 'ping') this.control({ kind: 'pong' });
    else this.control({ kind: 'ack', request: request.id, topics: null });
  }
}

/** A WebSocket server on the loopback that does what a test tells it. */
export class ScriptedExchange {
  readonly peers: Peer[] = [];
  address = '';
  /** Default: acknowledges everything and gives a tick of each topic. */
  onRequest: (peer: Peer, request: TestRequest) => void = (peer, request) => peer.answer(request);
  onOpen: (peer: Peer) => void = () => undefined;
  /** Answers an upgrade with this HTTP head instead of a socket. */
  refuse: ((request: IncomingMessage) => string | null) | null = null;
  attempts = 0;
  private readonly http = createServer();
  private readonly server = new WebSocketServer({ noServer: true });

  async listen(port = 0): Promise<void> {
    this.http.on('upgrade', (request, socket: Duplex, head) => {
      this.attempts++;
      const refusal = this.refuse?.(request) ?? null;
      if (refusal !== null) {
        socket.end(refusal);
        return;
      }
      this.server.handleUpgrade(request, socket, head, (client) => this.accept(client));
    });
    await new Promise<void>((resolve) => {
      this.http.listen(port, '127.0.0.1', resolve);
    });
    this.address = `ws://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** The last accepted socket. */
  get last(): Peer {
    return this.peers.at(-1)!;
  }

  get open(): Peer[] {
    return this.peers.filter((peer) => !peer.closed);
  }

  async close(): Promise<void> {
    for (const peer of this.open) peer.socket.terminate();
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.http.close(() => resolve());
    });
  }

  private accept(client: WebSocket): void {
    const peer = new Peer(client);
    this.peers.push(peer);
    client.on('message', (data) => {
      const request = JSON.parse(String(data)) as TestRequest;
      peer.requests.push(request);
      this.onRequest(peer, request);
    });
    client.on('ping', () => peer.pings++);
    client.on('close', (code) => {
      peer.closed = true;
      peer.closeCode = code;
    });
    client.on('error', () => undefined);
    this.onOpen(peer);
  }
}
