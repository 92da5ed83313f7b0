import {
  type CallOptions,
  ChannelCredentials,
  type ChannelOptions,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { BatchChannel } from './batch-channel.ts';
import type { MarketDataClientOptions, TickSelection } from './client-options.ts';
import {
  type GetStatusResponse,
  type Instrument,
  type ListInstrumentsResponse,
  MarketDataClient as Stub,
} from './generated/tickline/market_data/v1/market_data.ts';
import { isPassing, PodStream, type TickEvent } from './pod-stream.ts';

/** Batches that wait for the reader; then the pods' streams wait, and the pods' queues fill. */
const WAITING_BATCHES = 64;
/** A listing of many thousand symbols is more than the library's 4 MiB. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** No pod could be asked; the message says what each answered. */
export class NoPodError extends Error {
  override name = 'NoPodError';
}

/**
 * A client of all pods: it asks any one who owns what, subscribes at the owners, follows them when they change,
 * and reconnects. Decimals are text, exact.
 */
export class MarketDataClient {
  private readonly options: MarketDataClientOptions;
  private readonly credentials: ChannelCredentials;
  private readonly stubs = new Map<string, Stub>();
  private readonly subscriptions = new Set<TickSubscription>();

  constructor(options: MarketDataClientOptions) {
    if (options.addresses.length === 0) throw new Error('addresses is empty: name at least one pod');
    this.options = options;
    const { tls } = options;
    this.credentials =
      tls === undefined
        ? ChannelCredentials.createInsecure()
        : ChannelCredentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
  }

  /** Every symbol of the configuration that fits, with its owners. Rejects with NoPodError, or a ServiceError that asking again can't help. */
  async listInstruments(
    selection: Pick<TickSelection, 'exchanges' | 'symbols'> = { symbols: [] },
  ): Promise<Instrument[]> {
    const request = { exchanges: [...(selection.exchanges ?? [])], symbols: [...selection.symbols] };
    const { instruments } = await this.askAny<ListInstrumentsResponse>((stub, metadata, options, answer) =>
      stub.listInstruments(request, metadata, options, answer),
    );
    return instruments;
  }

  /** What the pod at an address is doing; without an address, the first that answers. */
  getStatus(address?: string): Promise<GetStatusResponse> {
    const ask: Ask<GetStatusResponse> = (stub, metadata, options, answer) =>
      stub.getStatus({}, metadata, options, answer);
    return address === undefined ? this.askAny(ask) : this.ask(address, ask);
  }

  /** Ticks of all pods that own something of the selection, until it is closed or the signal aborts. */
  subscribe(selection: TickSelection, signal?: AbortSignal): TickSubscription {
    const subscription = new TickSubscription(this.pods(), selection, this.options, () =>
      this.subscriptions.delete(subscription),
    );
    this.subscriptions.add(subscription);
    if (signal?.aborted) subscription.close();
    else signal?.addEventListener('abort', () => subscription.close(), { once: true });
    return subscription;
  }

  /** Ends all subscriptions and connections. */
  close(): void {
    for (const subscription of [...this.subscriptions]) subscription.close();
    for (const stub of this.stubs.values()) stub.close();
    this.stubs.clear();
  }

  private pods(): Pods {
    return {
      owners: async (selection) => {
        const instruments = await this.listInstruments(selection);
        const channels = selection.channels ?? [];
        const wanted = instruments.filter(
          (each) => channels.length === 0 || each.channels.some((channel) => channels.includes(channel)),
        );
        const addresses = new Set<string>();
        for (const { owners } of wanted) {
          for (const { address } of owners) if (address !== '') addresses.add(address);
        }
        // Pods that do not know their addresses can only be asked where we know them.
        return addresses.size > 0 || wanted.length === 0 ? [...addresses] : [...this.options.addresses];
      },
      open: (address, selection, again) =>
        this.stub(address).subscribe(
          {
            exchanges: [...(selection.exchanges ?? [])],
            symbols: [...selection.symbols],
            channels: [...(selection.channels ?? [])],
            // After a break the last values tell at once what was missed.
            lastValueFirst: again || (selection.lastValueFirst ?? false),
            conflate: selection.conflate ?? false,
            ownedOnly: true,
          },
          this.metadata(),
        ),
    };
  }

  /** Asks the known pods in turn until one answers. */
  private async askAny<T>(ask: Ask<T>): Promise<T> {
    const known = new Set([...this.options.addresses, ...this.stubs.keys()]);
    const failures: string[] = [];
    for (const address of known) {
      try {
        return await this.ask(address, ask);
      } catch (error) {
        if (!isPassing(error)) throw error;
        failures.push(`${address}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new NoPodError(`no pod answers (${failures.join('; ')})`);
  }

  private ask<T>(address: string, ask: Ask<T>): Promise<T> {
    const options = { deadline: Date.now() + (this.options.timeoutMs ?? 10_000) };
    return new Promise((resolve, reject) => {
      ask(this.stub(address), this.metadata(), options, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }

  private stub(address: string): Stub {
    let stub = this.stubs.get(address);
    if (stub === undefined) {
      const target = this.options.resolve?.(address) ?? address;
      const options: ChannelOptions = {
        'grpc.keepalive_time_ms': this.options.keepaliveMs ?? 20_000,
        'grpc.keepalive_timeout_ms': 10_000,
        'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
        'grpc.initial_reconnect_backoff_ms': this.options.backoffMs?.first ?? 200,
        'grpc.max_reconnect_backoff_ms': this.options.backoffMs?.longest ?? 10_000,
        // Each client its own connection: closing one never touches another in the same process.
        'grpc.use_local_subchannel_pool': 1,
      };
      stub = new Stub(target, this.credentials, options);
      this.stubs.set(address, stub);
    }
    return stub;
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    const { token } = this.options;
    if (token !== undefined) {
      metadata.set('authorization', `Bearer ${typeof token === 'string' ? token : token()}`);
    }
    return metadata;
  }
}

type Ask<T> = (
  stub: Stub,
  metadata: Metadata,
  options: Partial<CallOptions>,
  answer: (error: ServiceError | null, response: T) => void,
) => ClientUnaryCall;

/** The client's connections, as a subscription uses them. */
interface Pods {
  /** Addresses of the pods that own something of a selection. */
  owners(selection: TickSelection): Promise<readonly string[]>;
  open(address: string, selection: TickSelection, again: boolean): ReturnType<Stub['subscribe']>;
}

/**
 * Ticks as they come, in order within each pod. What was missed is an event of its own (`gap`), and so is each
 * change of a connection. While two pods own a symbol (a change of the shard count) its ticks come from both,
 * with different producers.
 */
export class TickSubscription implements AsyncIterable<TickEvent> {
  private readonly channel = new BatchChannel<readonly TickEvent[]>(WAITING_BATCHES);
  private readonly streams = new Map<string, PodStream>();
  private readonly pods: Pods;
  private readonly selection: TickSelection;
  private readonly options: MarketDataClientOptions;
  private readonly onClose: () => void;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private failures = 0;

  constructor(pods: Pods, selection: TickSelection, options: MarketDataClientOptions, onClose: () => void) {
    this.pods = pods;
    this.selection = selection;
    this.options = options;
    this.onClose = onClose;
    void this.follow();
  }

  /** Several events at a time: cheaper than one by one when there are many. */
  async *batches(): AsyncGenerator<readonly TickEvent[]> {
    try {
      for (;;) {
        const batch = await this.channel.take();
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      this.close();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TickEvent> {
    for await (const batch of this.batches()) yield* batch;
  }

  /** Ends the iteration after what is already here. */
  close(): void {
    this.finish(null);
  }

  private finish(failure: unknown): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    for (const stream of this.streams.values()) stream.close();
    this.channel.end(failure);
    this.onClose();
  }

  /** Asks who owns what, opens and closes streams accordingly, and asks again after a while. */
  private async follow(): Promise<void> {
    try {
      const owners = new Set(await this.pods.owners(this.selection));
      if (this.isClosed) return;
      this.failures = 0;
      // Nobody owns any of it: any pod says so, with the right words.
      if (owners.size === 0 && this.streams.size === 0) owners.add(this.options.addresses[0]!);
      for (const [address, stream] of this.streams) {
        if (!owners.has(address)) this.drop(address, stream);
      }
      for (const address of owners) if (!this.streams.has(address)) this.open(address);
      this.again(this.options.refreshMs ?? 60_000);
    } catch (error) {
      if (this.isClosed) return;
      if (!isPassing(error)) {
        this.finish(error);
        return;
      }
      const { first, longest } = this.backoffMs;
      this.again(Math.min(longest, first * 2 ** Math.min(this.failures++, 20)));
    }
  }

  private again(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.follow(), ms);
  }

  private get backoffMs(): { readonly first: number; readonly longest: number } {
    return this.options.backoffMs ?? { first: 200, longest: 10_000 };
  }

  private open(address: string): void {
    const stream = new PodStream({
      address,
      channel: this.channel,
      backoffMs: this.backoffMs,
      open: (again) => this.pods.open(address, this.selection, again),
      gone: () => {
        this.streams.delete(address);
        if (!this.isClosed) this.again(this.backoffMs.first);
      },
      failed: (error) => this.finish(error),
    });
    this.streams.set(address, stream);
    void stream.run();
  }

  private drop(address: string, stream: PodStream): void {
    this.streams.delete(address);
    stream.close();
  }
}
