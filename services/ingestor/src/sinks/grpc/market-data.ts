import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { EXCHANGES, isExchangeName } from '@tickline/schemas';
import {
  detailTrailers,
  type GetStatusRequest,
  type GetStatusResponse,
  ListInstrumentsRequest,
  type ListInstrumentsResponse,
  MarketDataService,
  SubscribeRequest,
  symbolFits,
} from '@tickline/schemas/grpc';
import type { SinkContext } from '../sink-context.ts';
import { received, resetCall, sessionOf } from './call-stream.ts';
import type { Clients } from './clients.ts';
import type { GrpcCounters } from './counters.ts';
import type { Directory } from './directory.ts';
import { CODES, type Refusal } from './refusal.ts';
import { planSubscription, type Waiting } from './subscribe-plan.ts';

/** How long a client that does not read may take for the words that end its stream. */
const LAST_WORDS_MS = 10_000;

/** What a request is when its bytes are no message. */
const MALFORMED = Symbol('malformed');
type Read<T> = T | typeof MALFORMED;

/** The service as it is on the wire, except that batches come encoded and a malformed request is ours to answer. */
export const MARKET_DATA_SERVICE: ServiceDefinition = {
  subscribe: {
    ...MarketDataService.subscribe,
    requestDeserialize: (bytes: Buffer) => readOf(() => SubscribeRequest.decode(bytes)),
    responseSerialize: (batch: Buffer) => batch,
  },
  listInstruments: {
    ...MarketDataService.listInstruments,
    requestDeserialize: (bytes: Buffer) => readOf(() => ListInstrumentsRequest.decode(bytes)),
  },
  getStatus: MarketDataService.getStatus,
};

function readOf<T>(read: () => T): Read<T> {
  try {
    return read();
  } catch {
    return MALFORMED;
  }
}

/** What the service answers from. */
export interface MarketDataParts {
  readonly context: SinkContext;
  readonly directory: Directory;
  readonly clients: Clients;
  readonly counters: GrpcCounters;
  readonly maxSubscriptions: number;
  /** True when the pod takes no more calls. */
  readonly isDraining: () => boolean;
}

/** The service `tickline.market_data.v1.MarketData`. */
export class MarketData {
  private readonly parts: MarketDataParts;
  /** Calls that were ended and whose clients have not received that yet. */
  private readonly leaving = new Set<Promise<void>>();

  constructor(parts: MarketDataParts) {
    this.parts = parts;
  }

  handlers(): UntypedServiceImplementation {
    return {
      subscribe: (call: ServerWritableStream<Read<SubscribeRequest>, Buffer>) => this.subscribe(call),
      listInstruments: (
        call: ServerUnaryCall<Read<ListInstrumentsRequest>, ListInstrumentsResponse>,
        answer: sendUnaryData<ListInstrumentsResponse>,
      ) => this.listInstruments(call.request, answer),
      getStatus: (
        _call: ServerUnaryCall<GetStatusRequest, GetStatusResponse>,
        answer: sendUnaryData<GetStatusResponse>,
      ) => answer(null, this.status()),
    };
  }

  /** Resolves when all clients whose calls were ended know it, with all that was sent before. */
  async told(): Promise<void> {
    await Promise.all(this.leaving);
  }

  private subscribe(call: ServerWritableStream<Read<SubscribeRequest>, Buffer>): void {
    const { clients } = this.parts;
    const plan = this.plan(call.request);
    if ('code' in plan) {
      this.end(call, plan);
      return;
    }
    // The client learns that it is served before there is a tick.
    call.sendMetadata(new Metadata());
    const session = sessionOf(call);
    let lastWords: NodeJS.Timeout | undefined;
    const leave = clients.serve(plan, {
      write: (batch, done) => {
        call.write(batch, (error: Error | null | undefined) => {
          if (!error) done();
        });
      },
      refuse: (refusal) => {
        this.end(call, refusal);
        lastWords = setTimeout(() => resetCall(call), LAST_WORDS_MS);
        const told = new Promise<void>((resolve) => call.once('cancelled', resolve))
          .then(() => (session === null ? undefined : received(session)))
          .finally(() => this.leaving.delete(told));
        this.leaving.add(told);
      },
    });
    // However it ends: by the client, its connection, the deadline or us.
    call.once('cancelled', () => {
      clearTimeout(lastWords);
      leave();
    });
  }

  private plan(request: Read<SubscribeRequest>) {
    const { clients, directory, maxSubscriptions, isDraining } = this.parts;
    if (request === MALFORMED) return malformed('SubscribeRequest');
    if (isDraining()) return { code: 'UNAVAILABLE', message: 'the pod is going: ask another' } as const;
    return clients.full() ?? planSubscription(request, directory, this.waiting(), maxSubscriptions);
  }

  private waiting(): Waiting {
    const { exchanges, phase } = this.parts.context.status();
    if (phase === 'starting') {
      return EXCHANGES.map((exchange) => ({ exchange, reason: 'the pod is starting' }));
    }
    return exchanges.flatMap(({ exchange, waitingFor }) =>
      waitingFor === null ? [] : [{ exchange, reason: waitingFor }],
    );
  }

  private listInstruments(
    request: Read<ListInstrumentsRequest>,
    answer: sendUnaryData<ListInstrumentsResponse>,
  ): void {
    const { directory } = this.parts;
    if (request === MALFORMED) {
      this.fail(answer, malformed('ListInstrumentsRequest'));
      return;
    }
    const { exchanges, symbols } = request;
    const wrong = exchanges.find((name) => !isExchangeName(name));
    if (wrong !== undefined) {
      const message = `exchanges holds "${wrong.slice(0, 40)}", which is none of ${EXCHANGES.join(', ')}`;
      this.fail(answer, { code: 'INVALID_ARGUMENT', message });
      return;
    }
    const instruments = directory
      .all()
      .filter(
        ({ exchange, symbol }) =>
          (exchanges.length === 0 || exchanges.includes(exchange)) &&
          (symbols.length === 0 || symbols.some((pattern) => symbolFits(pattern, symbol))),
      )
      .map((entry) => ({
        exchange: entry.exchange,
        symbol: entry.symbol,
        exchangeSymbol: entry.exchangeSymbol,
        kind: entry.kind,
        base: entry.base,
        quote: entry.quote,
        settle: entry.settle,
        status: entry.status,
        channels: [...entry.channels],
        owners: directory.owners(entry),
      }));
    answer(null, { instruments });
  }

  private status(): GetStatusResponse {
    const { context, directory, clients } = this.parts;
    const pod = context.status();
    return {
      version: pod.version,
      producer: pod.producer,
      owner: directory.owner(pod.shard.index),
      shardCount: pod.shard.count,
      phase: pod.phase,
      ready: pod.ready,
      notReady: pod.notReady ?? undefined,
      startedAtMicros: BigInt(pod.startedAt) * 1000n,
      nowMicros: BigInt(pod.now) * 1000n,
      exchanges: pod.exchanges.map((each) => ({
        exchange: each.exchange,
        owned: each.owned,
        notLive: pod.notLive.filter(({ exchange }) => exchange === each.exchange).length,
        messages: BigInt(each.messages),
        ticks: BigInt(each.ticks),
        invalid: BigInt(each.invalid),
        gaps: BigInt(each.gaps),
        reconnects: BigInt(each.reconnects),
      })),
      clients: clients.count,
    };
  }

  private end(call: ServerWritableStream<Read<SubscribeRequest>, Buffer>, refusal: Refusal): void {
    // How @grpc/grpc-js ends a stream with a status (its ServerWritableStreamImpl).
    call.emit('error', this.failure(refusal));
  }

  private fail<T>(answer: sendUnaryData<T>, refusal: Refusal): void {
    answer(this.failure(refusal));
  }

  private failure({ code, message, detail }: Refusal) {
    this.parts.counters.countError(code);
    return {
      code: CODES[code],
      details: message,
      ...(detail === undefined ? {} : { metadata: detailTrailers(CODES[code], message, detail) }),
    };
  }
}

function malformed(message: string): Refusal {
  return {
    code: 'INVALID_ARGUMENT',
    message: `the request is no ${message} of tickline.market_data.v1: its bytes can't be read`,
  };
}
