import {
  type ExchangeName,
  encodeProtoPrefix,
  encodeStatusProto,
  type PodStatus,
  type Quote,
  type Status,
  type TickChannel,
  type Trade,
  writeQuoteProto,
  writeTradeProto,
} from '@tickline/schemas';
import {
  envelopeOf,
  quoteDraftOf,
  tradeDraftOf,
} from '../../../../../../schemas/src/testing/tick-records.ts';
import { EncodedTick, type SinkListener, type SinkStream } from '../../sink.ts';
import type { DirectoryEntry, SinkContext } from '../../sink-context.ts';
import type { SinkLog } from '../../sink-log.ts';
import { GrpcSink } from '../grpc-sink.ts';
import type { GrpcSettings } from '../settings.ts';

const MIB = 1024 * 1024;

const silent: SinkLog = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

/** What a gRPC sink must never do: a slow client is no reason to pause a socket or to report a loss. */
const listener: SinkListener = {
  full: () => fail('full'),
  drained: () => fail('drained'),
  lost: () => fail('lost'),
  repeated: () => fail('repeated'),
};

function fail(what: string): never {
  throw new Error(`the gRPC sink said "${what}" to the pod`);
}

export function settingsWith(overrides: Partial<GrpcSettings>): GrpcSettings {
  return {
    enabled: true,
    host: '127.0.0.1',
    port: 0,
    peerAddress: null,
    queueBytes: 64 * MIB,
    clientQueueBytes: 16 * MIB,
    maxClients: 256,
    maxSubscriptions: 20_000,
    maxConnections: 512,
    maxRequestBytes: MIB,
    keepaliveMs: 30_000,
    keepaliveTimeoutMs: 10_000,
    maxIdleMs: 300_000,
    tokenFile: null,
    tls: { enabled: false, certFile: null, keyFile: null, clientCaFile: null },
    ...overrides,
  };
}

/** A symbol of the configuration that these shards own. */
export function entry(exchange: string, symbol: string, shards: readonly number[] = [0]): DirectoryEntry {
  const [base = '', quote = ''] = symbol.split('-');
  return {
    exchange,
    symbol,
    exchangeSymbol: `${base}${quote}`,
    kind: 'spot',
    base,
    quote,
    settle: quote,
    status: 'trading',
    channels: ['trades', 'quotes'],
    shards,
  };
}

/** A pod without exchanges: the sink, what it asks of its pod, and a hand that appends ticks. */
export class SimulatedPod {
  readonly sink: GrpcSink;
  readonly producer: string;
  /** All that was appended, in order. */
  readonly appended: (Trade | Quote)[] = [];
  readonly index: number;
  phase: PodStatus['phase'] = 'running';
  waitingFor: string | null = null;
  private entries: readonly DirectoryEntry[];
  private version = 0;
  private readonly shardCount: number;
  private readonly streams = new Map<string, SinkStream>();
  private readonly sequences = new Map<string, number>();
  private readonly tick = new EncodedTick();
  private readonly bytes = new Uint8Array(4096);

  private constructor(
    overrides: Partial<GrpcSettings>,
    entries: readonly DirectoryEntry[],
    { index, count, producer }: { index: number; count: number; producer: string },
  ) {
    this.entries = entries;
    this.index = index;
    this.shardCount = count;
    this.producer = producer;
    this.sink = new GrpcSink(settingsWith(overrides), this.context());
  }

  static async start(
    overrides: Partial<GrpcSettings>,
    entries: readonly DirectoryEntry[],
    shard: { index?: number; count?: number; producer?: string } = {},
  ): Promise<SimulatedPod> {
    const { index = 0, count = 1, producer = `producer${index}` } = shard;
    const pod = new SimulatedPod(overrides, entries, { index, count, producer });
    await pod.sink.start(listener);
    for (const each of entries.filter(({ shards }) => shards.includes(index))) pod.open(each);
    return pod;
  }

  get address(): string {
    return this.sink.address!;
  }

  /** Further symbols, as after a listing. */
  list(entries: readonly DirectoryEntry[]): void {
    this.entries = [...this.entries, ...entries];
    this.version++;
    for (const each of entries.filter(({ shards }) => shards.includes(this.index))) this.open(each);
  }

  /** Other owners, as after a change of the configuration. */
  move(exchange: string, symbol: string, shards: readonly number[]): void {
    this.entries = this.entries.map((each) =>
      each.exchange === exchange && each.symbol === symbol ? { ...each, shards } : each,
    );
    this.version++;
    for (const each of this.entries) if (each.shards.includes(this.index)) this.open(each);
  }

  trade(exchange: string, symbol: string, fields: Partial<Trade> = {}): Trade {
    const trade: Trade = {
      ...this.head(exchange, symbol, 'trades'),
      price: '64000.01',
      quantity: '0.000000000000000001',
      contracts: null,
      side: 'buy',
      tradeId: '1',
      fillCount: null,
      ...fields,
    };
    this.append('trades', trade, (at, prefix) =>
      writeTradeProto(this.bytes, at, prefix, this.envelope(trade), tradeDraftOf(trade)),
    );
    return trade;
  }

  quote(exchange: string, symbol: string, fields: Partial<Quote> = {}): Quote {
    const quote: Quote = {
      ...this.head(exchange, symbol, 'quotes'),
      bidPrice: '64000',
      bidQuantity: '1.5',
      askPrice: '64000.01',
      askQuantity: '2',
      bidContracts: null,
      askContracts: null,
      updateId: '77',
      ...fields,
    };
    this.append('quotes', quote, (at, prefix) =>
      writeQuoteProto(this.bytes, at, prefix, this.envelope(quote), quoteDraftOf(quote)),
    );
    return quote;
  }

  /** A record about a channel, as the pod writes them. */
  status(status: Status): void {
    const bytes = encodeStatusProto(status);
    this.tick.bytes = bytes;
    this.tick.start = 0;
    this.tick.end = bytes.length;
    this.stream('status', status.exchange, status.symbol, status.channel).append(this.tick);
  }

  /** Ticks that are lost before any sink: their numbers are never seen. */
  skip(exchange: string, symbol: string, channel: TickChannel, count: number): void {
    const key = `${exchange}:${symbol}:${channel}`;
    this.sequences.set(key, (this.sequences.get(key) ?? 0) + count);
  }

  async stop(): Promise<void> {
    await this.sink.flush(1_000);
    await this.sink.close();
  }

  private lastEnvelope = envelopeOf(emptyTrade());

  private envelope(record: Trade | Quote) {
    this.lastEnvelope = envelopeOf(record);
    return this.lastEnvelope;
  }

  private head(exchange: string, symbol: string, channel: TickChannel) {
    const key = `${exchange}:${symbol}:${channel}`;
    const sequence = (this.sequences.get(key) ?? 0) + 1;
    this.sequences.set(key, sequence);
    return {
      exchange,
      symbol,
      exchangeSymbol: symbol.replace('-', ''),
      producer: this.producer,
      session: 'session1',
      exchangeTime: 1_780_000_000_000_000 + sequence,
      receiveTime: 1_780_000_000_000_500 + sequence,
      sequence,
      conflated: 0,
    };
  }

  private append(
    topic: TickChannel,
    record: Trade | Quote,
    write: (at: number, prefix: Uint8Array) => number,
  ): void {
    const { exchange, symbol, exchangeSymbol, producer, sequence } = record;
    // Not at the beginning of the array: a sink must mind `start`.
    const start = 7;
    const { tick } = this;
    tick.bytes = this.bytes;
    tick.start = start;
    tick.end = write(start, encodeProtoPrefix(exchange, symbol, exchangeSymbol, producer));
    tick.conflatedAt = this.lastEnvelope.conflatedAt;
    tick.sequence = sequence;
    if (!this.stream(topic, exchange, symbol, topic).append(tick)) fail('not taken');
    this.appended.push(record);
  }

  private open({ exchange, symbol, channels }: DirectoryEntry): void {
    for (const channel of channels) {
      this.stream(channel, exchange, symbol, channel);
      this.stream('status', exchange, symbol, channel);
    }
  }

  private stream(topic: string, exchange: string, symbol: string, channel: string): SinkStream {
    const key = `${topic}:${exchange}:${symbol}:${channel}`;
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = this.sink.stream({
        topic,
        exchange,
        symbol,
        channel,
        key: symbol,
        overflow: topic === 'quotes' ? 'conflate' : 'keep',
      });
      this.streams.set(key, stream);
    }
    return stream;
  }

  private context(): SinkContext {
    return {
      log: silent,
      shard: { index: this.index, count: this.shardCount },
      directory: () => this.entries,
      directoryVersion: () => this.version,
      status: () => this.podStatus(),
      learnSecret: () => undefined,
    };
  }

  private podStatus(): PodStatus {
    const names = [...new Set(this.entries.map(({ exchange }) => exchange))] as ExchangeName[];
    return {
      version: '1.2.3',
      producer: this.producer,
      pid: process.pid,
      startedAt: 1_780_000_000_000,
      now: 1_780_000_001_000,
      phase: this.phase,
      shard: { index: this.index, count: this.shardCount },
      ready: this.waitingFor === null,
      notReady: this.waitingFor,
      cpuSeconds: 0,
      rssBytes: 0,
      exchanges: names.map((exchange) => ({
        exchange,
        owned: 2,
        messages: 3,
        ticks: this.appended.length,
        invalid: 0,
        gaps: 0,
        reconnects: 0,
        latencyMs: null,
        waitingFor: this.waitingFor,
      })),
      connections: [],
      notLive: [],
      sinks: [],
    };
  }
}

function emptyTrade(): Trade {
  return {
    exchange: '',
    symbol: '',
    exchangeSymbol: '',
    producer: '',
    session: '',
    exchangeTime: null,
    receiveTime: 0,
    sequence: 0,
    conflated: 0,
    price: '0',
    quantity: '0',
    contracts: null,
    side: 'buy',
    tradeId: '',
    fillCount: null,
  };
}
