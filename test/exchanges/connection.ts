import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Instrument } from './catalogue.ts';
import { nowMicros } from './clock.ts';
import type { ConnectionFaults, FaultFrames } from './faults.ts';
import { corrupted } from './faults.ts';
import { type Limits, SlidingWindow, type ViolationKind } from './limits.ts';
import type { Channel } from './market.ts';

/** Something that can be subscribed and has data: an instrument's channel in one native form. */
export interface Stream {
  /** Native form, for example `trade` or `aggTrade`. */
  readonly form: string;
  readonly channel: Channel;
  readonly instrument: Instrument;
  readonly subscriptions: Set<Subscription>;
}

/** A subscription of a connection. */
export interface Subscription {
  /** The native name: stream, topic, or `channel:symbol`. */
  readonly name: string;
  readonly connection: Connection;
  /** Null for what is acknowledged and stays silent: unknown symbols on Binance, channels without a simulation. */
  readonly stream: Stream | null;
  readonly record: SubscriptionRecord;
  acknowledged: boolean;
  /** True until its first data frame was written. */
  fresh: boolean;
}

/** The life of a subscription; times are microseconds since 1970. */
export interface SubscriptionRecord {
  readonly name: string;
  readonly channel: Channel | null;
  readonly exchangeSymbol: string | null;
  readonly requestedAt: number;
  acknowledgedAt: number | null;
  endedAt: number | null;
}

/** Why a connection ended. */
export type ConnectionEnd =
  | 'client-closed'
  | 'client-lost'
  | 'fault'
  | 'limit'
  | 'lifetime'
  | 'notice'
  | 'simulator-closed';

/** The life of a connection as the ledger of connections tells it; times are microseconds since 1970. */
export interface ConnectionRecord {
  readonly id: string;
  /** Path and query of the upgrade request. */
  readonly path: string;
  readonly remotePort: number;
  readonly openedAt: number;
  closedAt: number | null;
  end: ConnectionEnd | null;
  /** More about the end: a close code, the limit that was broken. */
  endDetail: string | null;
  state: 'open' | 'half-open' | 'closed';
  /** Every subscription of its life, in order. */
  readonly subscriptions: SubscriptionRecord[];
  framesWritten: number;
  dataFramesWritten: number;
  bytesWritten: number;
  messagesReceived: number;
  /**
   * Bytes still in this process's buffers when the connection ended (the kernel's are not counted): in the ledger,
   * perhaps never sent.
   */
  bytesUnsentAtEnd: number;
}

/** What a connection tells the exchange it belongs to. */
export interface ConnectionOwner {
  readonly limits: Limits;
  readonly faultFrames: FaultFrames;
  violated(kind: ViolationKind, connection: Connection | null, detail: string): void;
  /** A frame that the fault `corrupt` broke went out. */
  injected(): void;
}

interface Waiting {
  readonly due: number;
  readonly write: () => void;
  readonly lost: (() => void) | null;
}

/** One WebSocket of a client, with its subscriptions, its faults, its budgets and its record. */
export class Connection {
  readonly id: string;
  /** The id as a number, as the ledger keeps it. */
  readonly number: number;
  readonly record: ConnectionRecord;
  readonly subscriptions = new Map<string, Subscription>();
  readonly faults: ConnectionFaults;
  readonly messages: SlidingWindow;
  readonly requests: SlidingWindow;
  /** Bits chosen by the exchange: in which variant data frames are written. */
  variant = 0;
  argsCharacters = 0;
  subscribeRequests = 0;
  /** Milliseconds of the same clock as `nowMs()`. */
  readonly openedMs: number;
  lastReceivedMs: number;
  lastSentMs: number;
  lastPingMs: number;
  /** Payload of a server ping that awaits its pong. */
  outstandingPing: string | null = null;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #waiting: Waiting[] = [];
  #waitTimer: NodeJS.Timeout | undefined;
  #corked = false;
  #dataListeners: ((chunk: Buffer) => void)[] = [];

  constructor(
    number: number,
    id: string,
    path: string,
    ws: WebSocket,
    socket: Socket,
    faults: ConnectionFaults,
    owner: ConnectionOwner,
  ) {
    this.number = number;
    this.id = id;
    this.#ws = ws;
    this.#socket = socket;
    this.#owner = owner;
    this.faults = faults;
    this.messages = new SlidingWindow(owner.limits.messagesPerSecond, 1000);
    this.requests = new SlidingWindow(owner.limits.requestsPerHour, 3_600_000);
    this.openedMs = nowMs();
    this.lastReceivedMs = this.openedMs;
    this.lastSentMs = this.openedMs;
    this.lastPingMs = this.openedMs;
    this.record = {
      id,
      path,
      remotePort: socket.remotePort ?? 0,
      openedAt: nowMicros(),
      closedAt: null,
      end: null,
      endDetail: null,
      state: 'open',
      subscriptions: [],
      framesWritten: 0,
      dataFramesWritten: 0,
      bytesWritten: 0,
      messagesReceived: 0,
      bytesUnsentAtEnd: 0,
    };
    if (faults.halfOpen) this.setHalfOpen(true);
  }

  /** Whether frames can still be written. */
  get open(): boolean {
    return this.record.end === null && this.#ws.readyState === 1;
  }

  /** Whether data goes out: open, and no fault holds it back. */
  get flowing(): boolean {
    return this.open && !this.faults.silent && !this.faults.halfOpen;
  }

  /** Whether pings are answered and heartbeats sent. */
  get alive(): boolean {
    return this.open && !this.faults.halfOpen && (!this.faults.silent || this.faults.answerPings);
  }

  /** Answers a request. `written` is called when the answer has gone to the socket. */
  reply(text: string, written?: () => void): void {
    if (!this.open || this.faults.halfOpen) return;
    this.#inTurn(() => {
      this.#write(text);
      written?.();
    }, null);
  }

  /**
   * Acknowledges subscriptions: the answer first and data afterwards, unless the fault `late-ack` turns that round.
   */
  acknowledge(text: string, subscriptions: readonly Subscription[]): void {
    const written = (): void => {
      const at = nowMicros();
      for (const subscription of subscriptions) {
        subscription.acknowledged = true;
        subscription.record.acknowledgedAt ??= at;
      }
    };
    if (this.faults.lateAckMs > 0) setTimeout(() => this.reply(text, written), this.faults.lateAckMs).unref();
    else this.reply(text, written);
  }

  /** A pong, a heartbeat, a status: what keeps the connection alive. */
  liveness(text: string): void {
    if (this.alive) this.#inTurn(() => this.#write(text), null);
  }

  /** A WebSocket pong frame. */
  pong(payload: Buffer): void {
    if (this.alive) this.#ws.pong(payload);
  }

  /** A WebSocket ping frame; the payload is remembered until its pong comes. */
  ping(payload: string): void {
    this.lastPingMs = nowMs();
    if (!this.alive) return;
    this.outstandingPing = payload;
    this.#ws.ping(payload);
  }

  /**
   * A data frame. Exactly one of the two is called: `written` just before it goes to the socket, or `lost` when a
   * fault or the end of the connection kept it back.
   */
  data(text: string, written: () => void, lost: () => void): void {
    if (!this.flowing) {
      lost();
      return;
    }
    this.#inTurn(() => {
      if (!this.flowing) {
        lost();
        return;
      }
      const corruption = this.faults.corruptions[0];
      if (corruption !== undefined) {
        if (--corruption.left <= 0) this.faults.corruptions.shift();
        this.#write(corrupted(text, corruption.how, this.#owner.faultFrames));
        this.#owner.injected();
        if (corruption.replace) {
          lost();
          return;
        }
      }
      written();
      this.record.dataFramesWritten++;
      this.#write(text);
    }, lost);
  }

  /** A frame outside of any subscription: a tape's, an unknown one. False when a fault holds it back. */
  raw(text: string): boolean {
    if (!this.flowing) return false;
    this.#inTurn(() => this.#write(text), null);
    return true;
  }

  /** Notes an incoming message. */
  received(): void {
    this.record.messagesReceived++;
    this.lastReceivedMs = nowMs();
  }

  /** Holds writes back to send them in one go; `flush` ends it. True when it was not held already. */
  hold(): boolean {
    if (this.#corked) return false;
    this.#corked = true;
    this.#socket.cork();
    return true;
  }

  /** Sends what was held back, and cuts a client that does not keep up. */
  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
    if (this.open && this.#socket.writableLength > this.#owner.limits.outboundBytes) {
      this.#owner.violated('slow-consumer', this, `${this.#socket.writableLength} bytes wait to be read`);
      this.close('limit', 'slow-consumer', 4005, 'outbound buffer full');
    }
  }

  /** Closes by a closing handshake. */
  close(end: ConnectionEnd, detail: string, code: number, reason: string): void {
    if (!this.open) return;
    this.#ended(end, `${detail} (${code})`);
    this.#ws.close(code, reason);
    // A peer that never answers the closing handshake does not keep us.
    setTimeout(() => this.#ws.terminate(), 2000).unref();
  }

  /** Ends the socket without a closing handshake: by RST, or by FIN after what was written. */
  cut(end: ConnectionEnd, detail: string, how: 'reset' | 'end'): void {
    if (this.record.end !== null) return;
    this.#ended(end, detail);
    if (how === 'reset') this.#socket.resetAndDestroy();
    else this.#socket.end(() => this.#socket.destroy());
  }

  /** Notes that the socket is gone; called once, by whoever listens to it. */
  gone(code: number): void {
    if (this.record.end === null)
      this.#ended(code === 1006 ? 'client-lost' : 'client-closed', `close code ${code}`);
    this.record.closedAt ??= nowMicros();
    this.record.state = 'closed';
    clearTimeout(this.#waitTimer);
    for (const { lost } of this.#waiting.splice(0)) lost?.();
  }

  /** Starts or ends answering nothing at all. Bytes that come in meanwhile are thrown away. */
  setHalfOpen(on: boolean): void {
    const deaf = this.#dataListeners.length > 0;
    this.faults.halfOpen = on;
    if (this.record.state !== 'closed') this.record.state = on ? 'half-open' : 'open';
    if (on && !deaf) {
      this.#dataListeners = this.#socket.listeners('data') as ((chunk: Buffer) => void)[];
      this.#socket.removeAllListeners('data');
      this.#socket.on('data', () => {});
    } else if (!on && deaf) {
      this.#socket.removeAllListeners('data');
      for (const listener of this.#dataListeners) this.#socket.on('data', listener);
      this.#dataListeners = [];
    }
  }

  #ended(end: ConnectionEnd, detail: string): void {
    this.record.end = end;
    this.record.endDetail = detail;
    this.record.bytesUnsentAtEnd = this.#socket.writableLength;
    const at = nowMicros();
    for (const subscription of this.subscriptions.values()) {
      subscription.record.endedAt ??= at;
      subscription.stream?.subscriptions.delete(subscription);
    }
    this.subscriptions.clear();
  }

  #write(text: string): void {
    this.lastSentMs = nowMs();
    this.record.framesWritten++;
    this.record.bytesWritten += Buffer.byteLength(text);
    this.#ws.send(text);
  }

  /** Writes now, or in its turn after the delay that the fault asks for. */
  #inTurn(write: () => void, lost: (() => void) | null): void {
    if (this.faults.delayMs === 0 && this.#waiting.length === 0) {
      write();
      return;
    }
    this.#waiting.push({ due: nowMs() + this.faults.delayMs, write, lost });
    if (this.#waiting.length === 1) this.#awaitTurn();
  }

  #awaitTurn(): void {
    const first = this.#waiting[0];
    if (first === undefined) return;
    this.#waitTimer = setTimeout(
      () => {
        const held = this.hold();
        const now = nowMs();
        while (this.#waiting.length > 0 && this.#waiting[0]!.due <= now) {
          const next = this.#waiting.shift()!;
          if (this.open) next.write();
          else next.lost?.();
        }
        if (held) this.flush();
        this.#awaitTurn();
      },
      Math.max(1, first.due - nowMs()),
    );
  }
}

/** Monotonic milliseconds for timers and windows. */
export function nowMs(): number {
  return performance.now();
}
