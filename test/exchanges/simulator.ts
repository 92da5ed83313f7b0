import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { binance } from './binance/traits.ts';
import { bybit } from './bybit/traits.ts';
import { catalogue, type Instrument, lotSizeText, tickSizeText } from './catalogue.ts';
import { nowMicros } from './clock.ts';
import {
  Connection,
  type ConnectionOwner,
  type ConnectionRecord,
  nowMs,
  type Stream,
  type Subscription,
} from './connection.ts';
import {
  type ConnectionFaults,
  type ExchangeFaults,
  type Fault,
  noExchangeFaults,
  noFaults,
} from './faults.ts';
import { kraken } from './kraken/traits.ts';
import { type ExchangeName, Ledger } from './ledger.ts';
import { type Limits, SlidingWindow, type Violation, type ViolationKind } from './limits.ts';
import { type Channel, Market, type Quote, type Trade } from './market.ts';
import { okx } from './okx/traits.ts';
import type { ExchangeTraits, Protocol, ProtocolHost, RestAnswer } from './protocol.ts';
import { type ReplayOptions, type ReplayResult, readTape, replayTape } from './tape.ts';

/** What is fixed about each exchange, by its name. */
export const exchanges: Readonly<Record<ExchangeName, ExchangeTraits>> = {
  binance,
  'bybit-spot': bybit,
  okx,
  kraken,
};

/** The names of the simulated exchanges. */
export const exchangeNames = Object.keys(exchanges) as ExchangeName[];

/** How a simulated exchange is set up. Only `exchange` is needed. */
export interface SimulatorOptions {
  readonly exchange: ExchangeName;
  /** Trading instruments, 1 … 9,999 (default 100); a few that are not trading come on top. */
  readonly symbols?: number;
  /**
   * Data frames per second that the market makes over everything ever subscribed (default 1000); a frame goes to
   * every subscription of its stream, so two subscribers get twice as many in sum. The snapshot that follows a
   * subscription (Bybit, OKX, Kraken) is an additional quote, also while the market stands still.
   */
  readonly rate?: number;
  /** Share of trades among the frames, 0 … 1 (default 0.3); the rest are quotes. */
  readonly tradeShare?: number;
  /** Same seed, same market but for the times (default 1). */
  readonly seed?: number;
  /** When the market starts: at the first subscription (default), at once, or by `startMarket()`. */
  readonly start?: 'subscription' | 'now' | 'manual';
  /** Changes to the exchange's documented limits and timings. */
  readonly limits?: Partial<Limits>;
  /** Port on 127.0.0.1 (default 0: a free one). */
  readonly port?: number;
  /** The market's events are made and written in batches so many milliseconds apart (default 4). */
  readonly batchMs?: number;
  /** Accept permessage-deflate when a client offers it (default false). */
  readonly compression?: boolean;
}

/** An instrument as tests need to know it. */
export interface ListedInstrument {
  readonly exchangeSymbol: string;
  readonly base: string;
  readonly quote: string;
  readonly trading: boolean;
  readonly tickSize: string;
  readonly lotSize: string;
}

/** Counts since the start, unless it says "now". */
export interface SimulatorStats {
  readonly exchange: ExchangeName;
  /** Now: whether the market moves, and how fast it is meant to. */
  readonly running: boolean;
  readonly rate: number;
  /** Connections: open now, opened ever, attempts that were refused. */
  readonly connections: { readonly open: number; readonly opened: number; readonly refused: number };
  /** Subscriptions on open connections now: all of them, and those acknowledged. */
  readonly subscriptions: number;
  readonly acknowledgedSubscriptions: number;
  /** Data frames written to sockets, and the ticks in them. */
  readonly frames: number;
  readonly trades: number;
  readonly quotes: number;
  /** Ticks that went to nobody: no subscriber at that moment, or kept back by a fault. */
  readonly unheard: number;
  /** Unchanged quotes that were sent again; not in the ledger. */
  readonly repeats: number;
  /** Frames made by the faults `corrupt` and `unknown`; not in the ledger. */
  readonly injected: number;
  readonly tapeFrames: number;
  readonly messagesReceived: number;
  readonly restRequests: number;
  /** Subscription arguments that were refused, or on Binance silently accepted, for an unknown symbol. */
  readonly refusedSymbols: readonly string[];
  /** Frames that the market fell short of its rate because the process was too busy. */
  readonly framesBehind: number;
  readonly violations: Readonly<Partial<Record<ViolationKind, number>>>;
}

/** A running simulated exchange. */
export interface Simulator {
  readonly exchange: ExchangeName;
  /** Base address for WebSockets, `ws://127.0.0.1:PORT`. */
  readonly url: string;
  /** Base address for REST, `http://127.0.0.1:PORT`. */
  readonly restUrl: string;
  readonly instruments: readonly ListedInstrument[];
  /** Native names of the trading instruments, the most popular first. */
  readonly symbols: readonly string[];
  /** Every tick that was written to a subscription. */
  readonly ledger: Ledger;
  /** Ticks that were made and not written: nobody subscribed (connection ''), or kept back by a fault. */
  readonly unheard: Ledger;
  /** Every connection there ever was, in order of opening. */
  readonly connections: readonly ConnectionRecord[];
  readonly violations: readonly Violation[];
  stats(): SimulatorStats;
  startMarket(): void;
  stopMarket(): void;
  /** Changes the frames per second. */
  setRate(framesPerSecond: number): void;
  /**
   * Fires or switches a fault; returns how many open connections it touched.
   * @throws Error when `connection` names none that is open
   */
  fault(fault: Fault): number;
  /** Sends the frames of a recording to every open connection, or one. */
  replay(options: ReplayOptions): Promise<ReplayResult>;
  /** Cuts all connections and frees the port. */
  close(): Promise<void>;
}

const tickMs = 25;
const longestCatchUpMs = 250;

class RunningSimulator implements Simulator, ProtocolHost, ConnectionOwner {
  readonly exchange: ExchangeName;
  readonly limits: Limits;
  readonly faultFrames;
  readonly faults: ExchangeFaults = noExchangeFaults();
  readonly instruments: readonly (Instrument & ListedInstrument)[];
  readonly byName: ReadonlyMap<string, Instrument>;
  readonly ledger: Ledger;
  readonly unheard: Ledger;
  readonly connections: ConnectionRecord[] = [];
  readonly violations: Violation[] = [];
  url = '';
  restUrl = '';
  readonly #traits: ExchangeTraits;
  readonly #options: SimulatorOptions;
  readonly #protocol: Protocol;
  readonly #market: Market;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #open = new Set<Connection>();
  readonly #rawSockets = new Set<Socket>();
  readonly #streams: Stream[][];
  readonly #lastQuotes = new Map<Stream, { quote: Quote; atMs: number }>();
  readonly #recent = new Map<number, Trade[]>();
  readonly #held: Connection[] = [];
  readonly #connects: SlidingWindow;
  readonly #rest: SlidingWindow;
  #bannedUntilMs = 0;
  #rate: number;
  #marketTimer: NodeJS.Timeout | undefined;
  #tickTimer: NodeJS.Timeout | undefined;
  #marketAtMs = 0;
  #owed = 0;
  #stopped = false;
  #refusedConnections = 0;
  #frames = 0;
  #trades = 0;
  #quotes = 0;
  #repeats = 0;
  #injected = 0;
  #tapeFrames = 0;
  #restRequests = 0;
  #framesBehind = 0;
  readonly #refusedSymbols: string[] = [];

  constructor(options: SimulatorOptions) {
    const traits = exchanges[options.exchange];
    this.exchange = options.exchange;
    this.#traits = traits;
    this.#options = options;
    this.limits = { ...traits.limits, ...options.limits };
    this.faultFrames = traits.faultFrames;
    this.#rate = options.rate ?? 1000;
    this.instruments = catalogue(options.symbols ?? 100, traits.naming).map((instrument) => ({
      ...instrument,
      exchangeSymbol: instrument.native,
      tickSize: tickSizeText(instrument),
      lotSize: lotSizeText(instrument),
    }));
    this.byName = new Map(this.instruments.map((instrument) => [instrument.native, instrument]));
    this.#streams = this.instruments.map(() => []);
    const connectionName = (number: number): string => this.connections[number - 1]?.id ?? '';
    this.ledger = new Ledger(traits.ledger, this.instruments, connectionName);
    this.unheard = new Ledger(traits.ledger, this.instruments, connectionName);
    const permille = Math.round((options.tradeShare ?? 0.3) * 1000);
    this.#market = new Market(this.instruments, options.seed ?? 1, permille, traits.market, {
      trades: (instrument, trades) => this.#publishTrades(instrument, trades),
      quote: (instrument, quote) => this.#publishQuote(instrument, quote),
    });
    this.#protocol = traits.protocol(this);
    this.#connects = new SlidingWindow(this.limits.connects, this.limits.connectWindowMs);
    this.#rest = new SlidingWindow(this.limits.restRequests, this.limits.restWindowMs);
    this.#sockets = new WebSocketServer({
      noServer: true,
      autoPong: false,
      perMessageDeflate: options.compression ?? false,
      maxPayload: 16 * 1024 * 1024,
    });
    this.#http = createServer((request, response) => this.#answerRest(request, response));
    this.#http.on('connection', (socket) => {
      this.#rawSockets.add(socket);
      socket.on('close', () => this.#rawSockets.delete(socket));
      socket.on('error', () => {});
      if (this.faults.refuse?.how === 'reset') {
        this.#refusedConnections++;
        socket.resetAndDestroy();
      }
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(this.#options.port ?? 0, '127.0.0.1', resolve);
    });
    const { port } = this.#http.address() as AddressInfo;
    this.url = `ws://127.0.0.1:${port}`;
    this.restUrl = `http://127.0.0.1:${port}`;
    this.#tickTimer = setInterval(() => this.#tick(), tickMs);
    if (this.#options.start === 'now') this.startMarket();
    return this;
  }

  get symbols(): readonly string[] {
    return this.instruments.filter(({ trading }) => trading).map(({ native }) => native);
  }

  stats(): SimulatorStats {
    const violations: Partial<Record<ViolationKind, number>> = {};
    for (const { kind } of this.violations) violations[kind] = (violations[kind] ?? 0) + 1;
    let subscriptions = 0;
    let acknowledgedSubscriptions = 0;
    for (const connection of this.#open) {
      subscriptions += connection.subscriptions.size;
      for (const { acknowledged } of connection.subscriptions.values()) {
        if (acknowledged) acknowledgedSubscriptions++;
      }
    }
    return {
      exchange: this.exchange,
      running: this.#marketTimer !== undefined,
      rate: this.#rate,
      connections: {
        open: this.#open.size,
        opened: this.connections.length,
        refused: this.#refusedConnections,
      },
      subscriptions,
      acknowledgedSubscriptions,
      frames: this.#frames,
      trades: this.#trades,
      quotes: this.#quotes,
      unheard: this.unheard.size,
      repeats: this.#repeats,
      injected: this.#injected,
      tapeFrames: this.#tapeFrames,
      messagesReceived: this.connections.reduce((sum, { messagesReceived }) => sum + messagesReceived, 0),
      restRequests: this.#restRequests,
      refusedSymbols: this.#refusedSymbols,
      framesBehind: this.#framesBehind,
      violations,
    };
  }

  startMarket(): void {
    if (this.#marketTimer !== undefined) return;
    this.#stopped = false;
    this.#marketAtMs = nowMs();
    this.#owed = 0;
    this.#marketTimer = setInterval(() => this.#moveMarket(), this.#options.batchMs ?? 4);
  }

  stopMarket(): void {
    this.#stopped = true;
    clearInterval(this.#marketTimer);
    this.#marketTimer = undefined;
  }

  setRate(framesPerSecond: number): void {
    if (!(framesPerSecond >= 0)) throw new Error(`rate must be a number from 0 on, not ${framesPerSecond}`);
    this.#rate = framesPerSecond;
  }

  async replay(options: ReplayOptions): Promise<ReplayResult> {
    const targets = this.#targets(options.connection);
    return replayTape(await readTape(options.file), options, (frame) => {
      let written = 0;
      for (const connection of options.connection === undefined ? this.#open : targets) {
        if (connection.raw(frame)) written++;
      }
      this.#tapeFrames += written;
      return written;
    });
  }

  async close(): Promise<void> {
    this.stopMarket();
    clearInterval(this.#tickTimer);
    for (const connection of this.#open) connection.cut('simulator-closed', 'close()', 'end');
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
      this.#http.closeAllConnections();
      for (const socket of this.#rawSockets) socket.destroy();
    });
  }

  // ---- faults

  fault(fault: Fault): number {
    const faults = this.faults;
    switch (fault.kind) {
      case 'refuse':
        faults.refuse =
          (fault.on ?? true)
            ? { how: fault.how ?? 503, retryAfterSeconds: fault.retryAfterSeconds ?? 1 }
            : null;
        return 0;
      case 'rest':
        faults.rest = (fault.on ?? true) ? (fault.how ?? 503) : null;
        return 0;
      case 'reject':
        for (const symbol of fault.symbols) {
          if (fault.on ?? true) faults.rejected.add(symbol);
          else faults.rejected.delete(symbol);
        }
        return 0;
      case 'ack-silent':
        if (!(fault.on ?? true)) faults.ackSilent = new Set();
        else faults.ackSilent = fault.symbols === undefined ? 'all' : new Set(fault.symbols);
        return 0;
      case 'clear':
        faults.refuse = null;
        faults.rest = null;
        faults.rejected.clear();
        faults.ackSilent = new Set();
        faults.connection = noFaults();
        for (const connection of this.#open) {
          connection.setHalfOpen(false);
          Object.assign(connection.faults, noFaults());
        }
        return this.#open.size;
      default:
        return this.#faultConnections(fault);
    }
  }

  #faultConnections(fault: Fault & { readonly connection?: string }): number {
    const targets = this.#targets(fault.connection);
    const stand = (change: Partial<ConnectionFaults>): void => {
      if (fault.connection === undefined) Object.assign(this.faults.connection, change);
      for (const connection of targets) Object.assign(connection.faults, change);
    };
    switch (fault.kind) {
      case 'drop':
        for (const connection of targets) {
          const how = fault.how ?? 'reset';
          if (how === 'close') connection.close('fault', 'drop', fault.code ?? 1001, 'going away');
          else connection.cut('fault', `drop by ${how}`, how);
        }
        break;
      case 'silent':
        stand({ silent: fault.on ?? true, answerPings: fault.answerPings ?? true });
        break;
      case 'half-open':
        if (fault.connection === undefined) this.faults.connection.halfOpen = fault.on ?? true;
        for (const connection of targets) connection.setHalfOpen(fault.on ?? true);
        break;
      case 'delay':
        stand({ delayMs: fault.ms });
        break;
      case 'late-ack':
        stand({ lateAckMs: fault.ms });
        break;
      case 'corrupt':
        for (const connection of targets) {
          const { how, frames = 1, replace = false } = fault;
          connection.faults.corruptions.push({ how, left: frames, replace });
        }
        break;
      case 'unknown':
        for (const connection of targets) {
          for (let frame = 0; frame < (fault.frames ?? 1); frame++) {
            const text = this.#protocol.unknownFrame(fault.what, connection.variant, nowMicros());
            if (connection.raw(text)) this.#injected++;
          }
        }
        break;
      case 'notice':
        for (const connection of targets) {
          if (!this.#protocol.notice(connection)) throw new Error(`${this.exchange} sends no notice`);
          if (fault.closeAfterMs !== undefined) {
            setTimeout(() => connection.close('notice', 'announced', 1001, ''), fault.closeAfterMs).unref();
          }
        }
        break;
    }
    return targets.length;
  }

  #targets(id: string | undefined): Connection[] {
    const all = [...this.#open];
    if (id === undefined) return all;
    const found = all.filter((connection) => connection.id === id);
    if (found.length === 0) {
      const names = all.map((connection) => connection.id).join(', ');
      throw new Error(`no open connection "${id}"; open: ${names || 'none'}`);
    }
    return found;
  }

  // ---- the market

  #moveMarket(): void {
    const now = nowMs();
    const elapsed = now - this.#marketAtMs;
    this.#marketAtMs = now;
    this.#owed += (this.#rate * Math.min(elapsed, longestCatchUpMs)) / 1000;
    this.#framesBehind += Math.floor((this.#rate * Math.max(0, elapsed - longestCatchUpMs)) / 1000);
    const frames = Math.floor(this.#owed);
    this.#owed -= frames;
    this.#market.step(frames);
    this.#flush();
  }

  #flush(): void {
    for (const connection of this.#held) connection.flush();
    this.#held.length = 0;
  }

  #hold(connection: Connection): void {
    if (connection.hold()) this.#held.push(connection);
  }

  #publishTrades(instrument: Instrument, trades: readonly Trade[]): void {
    if (this.#traits.market.uniqueTimes) this.#remember(instrument, trades);
    let heard = false;
    for (const stream of this.#streams[instrument.rank]!) {
      if (stream.channel !== 'trades' || stream.subscriptions.size === 0) continue;
      heard = true;
      let variant = -1;
      let text = '';
      const at = nowMicros();
      for (const subscription of stream.subscriptions) {
        const { connection } = subscription;
        if (variant !== connection.variant) {
          variant = connection.variant;
          text = this.#protocol.tradesFrame(stream, trades, variant, at);
        }
        this.#hold(connection);
        this.#sendTrades(subscription, stream, text, trades, false);
      }
    }
    if (!heard) this.#missTrades(instrument, trades, 0);
  }

  #sendTrades(
    subscription: Subscription,
    stream: Stream,
    text: string,
    trades: readonly Trade[],
    snapshot: boolean,
  ): void {
    const { connection } = subscription;
    connection.data(
      text,
      () => {
        const at = nowMicros();
        const { variant, number } = connection;
        for (const trade of trades) {
          const time = this.#protocol.carriedTime(trade.time, variant);
          const id = this.#protocol.tradeId(stream, trade);
          const { acknowledged } = subscription;
          this.ledger.trade(stream.instrument, trade, id, time, at, number, acknowledged, snapshot);
        }
        subscription.fresh = false;
        this.#frames++;
        this.#trades += trades.length;
      },
      () => {
        if (!snapshot) this.#missTrades(stream.instrument, trades, connection.number);
      },
    );
  }

  #missTrades(instrument: Instrument, trades: readonly Trade[], connection: number): void {
    const at = nowMicros();
    for (const trade of trades) {
      this.unheard.trade(instrument, trade, trade.id, trade.time, at, connection, false, false);
    }
  }

  #publishQuote(instrument: Instrument, quote: Quote): void {
    let heard = false;
    for (const stream of this.#streams[instrument.rank]!) {
      if (stream.channel !== 'quotes' || stream.subscriptions.size === 0) continue;
      heard = true;
      const nowAt = nowMs();
      const last = this.#lastQuotes.get(stream);
      if (last === undefined) this.#lastQuotes.set(stream, { quote, atMs: nowAt });
      else {
        last.quote = quote;
        last.atMs = nowAt;
      }
      let variant = -1;
      let text = '';
      const at = nowMicros();
      for (const subscription of stream.subscriptions) {
        const { connection, fresh } = subscription;
        if (variant !== connection.variant || fresh) {
          // The first frame of a subscription may differ in form: not to be reused for the next one.
          variant = fresh ? -1 : connection.variant;
          text = this.#protocol.quoteFrame(stream, quote, connection.variant, at, fresh);
        }
        this.#hold(connection);
        connection.data(
          text,
          () => {
            const time = this.#protocol.carriedTime(quote.time, connection.variant);
            const { acknowledged } = subscription;
            this.ledger.quote(instrument, quote, time, nowMicros(), connection.number, acknowledged);
            subscription.fresh = false;
            this.#frames++;
            this.#quotes++;
          },
          () => this.#missQuote(instrument, quote, connection.number),
        );
      }
    }
    if (!heard) this.#missQuote(instrument, quote, 0);
  }

  #missQuote(instrument: Instrument, quote: Quote, connection: number): void {
    this.unheard.quote(instrument, quote, quote.time, nowMicros(), connection, false);
  }

  #remember(instrument: Instrument, trades: readonly Trade[]): void {
    const recent = this.#recent.get(instrument.rank) ?? [];
    recent.push(...trades);
    if (recent.length > 50) recent.splice(0, recent.length - 50);
    this.#recent.set(instrument.rank, recent);
  }

  #tick(): void {
    const now = nowMs();
    for (const connection of this.#open) {
      // Half-open means that nothing happens any more, cuts included.
      if (!connection.open || connection.faults.halfOpen) continue;
      const age = now - connection.openedMs;
      if (age >= this.limits.lifetimeMs) {
        connection.close('lifetime', `${this.limits.lifetimeMs} ms`, 1001, 'lifetime');
        continue;
      }
      this.#protocol.tick(connection, now);
    }
    if (this.limits.repeatMs === Infinity) return;
    for (const [stream, last] of this.#lastQuotes) {
      if (now - last.atMs < this.limits.repeatMs || stream.subscriptions.size === 0) continue;
      last.atMs = now;
      for (const { connection, fresh } of stream.subscriptions) {
        if (fresh) continue;
        this.#hold(connection);
        const text = this.#protocol.quoteFrame(stream, last.quote, connection.variant, nowMicros(), false);
        if (connection.raw(text)) this.#repeats++;
      }
    }
    this.#flush();
  }

  // ---- what the protocols ask for

  subscribe(
    connection: Connection,
    name: string,
    form: { readonly form: string; readonly channel: Channel } | null,
    instrument: Instrument | null,
  ): Subscription {
    const { ackSilent } = this.faults;
    const silent = ackSilent === 'all' || (instrument !== null && ackSilent.has(instrument.native));
    let stream: Stream | null = null;
    if (form !== null && instrument?.trading) {
      this.#market.activate(instrument, form.channel);
      if (!silent) stream = this.#stream(form.form, form.channel, instrument);
    }
    const subscription: Subscription = {
      name,
      connection,
      stream,
      record: {
        name,
        channel: form?.channel ?? null,
        exchangeSymbol: instrument?.native ?? null,
        requestedAt: nowMicros(),
        acknowledgedAt: null,
        endedAt: null,
      },
      acknowledged: false,
      fresh: true,
    };
    connection.subscriptions.set(name, subscription);
    connection.record.subscriptions.push(subscription.record);
    stream?.subscriptions.add(subscription);
    if (!this.#stopped && (this.#options.start ?? 'subscription') === 'subscription') this.startMarket();
    return subscription;
  }

  unsubscribe(connection: Connection, name: string): boolean {
    const subscription = connection.subscriptions.get(name);
    if (subscription === undefined) return false;
    connection.subscriptions.delete(name);
    subscription.stream?.subscriptions.delete(subscription);
    subscription.record.endedAt = nowMicros();
    return true;
  }

  quoteNow(instrument: Instrument): void {
    if (instrument.trading) this.#market.quote(instrument);
    this.#flush();
  }

  recentTrades(instrument: Instrument): readonly Trade[] {
    return this.#recent.get(instrument.rank) ?? [];
  }

  sendSnapshot(subscription: Subscription, text: string, trades: readonly Trade[]): void {
    if (subscription.stream !== null) this.#sendTrades(subscription, subscription.stream, text, trades, true);
  }

  violated(kind: ViolationKind, connection: Connection | null, detail: string): void {
    this.violations.push({
      exchange: this.exchange,
      kind,
      connection: connection?.id ?? null,
      time: nowMicros(),
      detail,
    });
  }

  refusedSymbol(name: string): void {
    this.#refusedSymbols.push(name);
  }

  injected(): void {
    this.#injected++;
  }

  #stream(form: string, channel: Channel, instrument: Instrument): Stream {
    const streams = this.#streams[instrument.rank]!;
    let stream = streams.find((existing) => existing.form === form);
    if (stream === undefined) {
      stream = { form, channel, instrument, subscriptions: new Set() };
      streams.push(stream);
    }
    return stream;
  }

  // ---- HTTP

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', this.restUrl);
    const now = nowMs();
    const refuse = this.faults.refuse;
    if (refuse !== null) {
      this.#refuse(socket, typeof refuse.how === 'number' ? refuse.how : 503, refuse.retryAfterSeconds);
      return;
    }
    if (!this.#protocol.accepts(url)) {
      this.#refuse(socket, 404, 0);
      return;
    }
    if (!this.#connects.hit(now) || now < this.#bannedUntilMs) {
      const { connects, connectWindowMs, connectBanMs } = this.limits;
      this.#bannedUntilMs = Math.max(this.#bannedUntilMs, now + connectBanMs);
      this.violated(
        'connect-rate',
        null,
        `more than ${connects} connection attempts in ${connectWindowMs} ms`,
      );
      this.#refuse(socket, this.#traits.connectRefusal, Math.ceil(connectBanMs / 1000));
      return;
    }
    if (this.#open.size >= this.limits.connections) {
      this.violated('connections', null, `more than ${this.limits.connections} connections`);
      this.#refuse(socket, this.#traits.connectRefusal, 0);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#opened(ws, socket as Socket, url));
  }

  #refuse(socket: Duplex, status: number, retryAfterSeconds: number): void {
    this.#refusedConnections++;
    const retry = retryAfterSeconds > 0 ? `Retry-After: ${retryAfterSeconds}\r\n` : '';
    socket.end(`HTTP/1.1 ${status} Refused\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  #opened(ws: WebSocket, socket: Socket, url: URL): void {
    const number = this.connections.length + 1;
    const faults = { ...this.faults.connection, corruptions: [] };
    const id = `${this.exchange}-${number}`;
    const connection = new Connection(number, id, url.pathname + url.search, ws, socket, faults, this);
    this.connections.push(connection.record);
    this.#open.add(connection);
    ws.on('error', () => {});
    ws.on('close', (code) => {
      this.#open.delete(connection);
      connection.gone(code);
    });
    ws.on('message', (data, isBinary) => {
      if (!connection.open) return;
      connection.received();
      if (isBinary) this.violated('invalid-request', connection, 'a binary message');
      else this.#protocol.message(connection, (data as Buffer).toString('utf8'));
    });
    ws.on('ping', (payload) => {
      if (!connection.open) return;
      connection.received();
      if (this.#protocol.pinged === undefined) connection.pong(payload);
      else this.#protocol.pinged(connection, payload);
    });
    ws.on('pong', (payload) => {
      if (!connection.open) return;
      connection.received();
      this.#protocol.ponged?.(connection, payload.toString('utf8'));
    });
    this.#protocol.opened(connection, url);
  }

  #answerRest(request: IncomingMessage, response: ServerResponse): void {
    this.#restRequests++;
    request.resume();
    const fault = this.faults.rest;
    if (fault === 'hang') return;
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const url = new URL(request.url ?? '/', this.restUrl);
    let answer: RestAnswer | null;
    if (fault !== null) answer = { status: fault, body: '{"error":"fault"}' };
    else answer = this.#protocol.rest(url, request);
    const { status, body, headers } = answer ?? {
      status: 404,
      body: '{"error":"no such path"}',
      headers: {},
    };
    response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
    response.end(body);
  }

  /** Notes a REST request of a weight; false when it is over the limit. */
  restAllowed(weight: number): boolean {
    if (this.#rest.hit(nowMs(), weight)) return true;
    const { restRequests, restWindowMs } = this.limits;
    this.violated('rest-rate', null, `more than ${restRequests} in ${restWindowMs} ms`);
    return false;
  }
}

/**
 * Starts a simulated exchange on a loopback port: WebSocket and REST under the exchange's real paths.
 * @throws Error when the port is taken or an option makes no sense
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  if (!(options.exchange in exchanges)) {
    throw new Error(`exchange must be one of ${exchangeNames.join(', ')}, not "${options.exchange}"`);
  }
  const { symbols = 100, tradeShare = 0.3 } = options;
  if (!Number.isInteger(symbols) || symbols < 1 || symbols > 9999) {
    throw new Error(`symbols must be a whole number from 1 to 9999, not ${symbols}`);
  }
  if (!(tradeShare >= 0 && tradeShare <= 1)) throw new Error(`tradeShare must be 0 … 1, not ${tradeShare}`);
  return new RunningSimulator(options).listen();
}
