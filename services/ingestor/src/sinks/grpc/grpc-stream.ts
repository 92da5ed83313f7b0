import type { EncodedTick, SinkStream, StreamDescriptor } from '../sink.ts';
import { copyBytes, QUOTE_TAG, STATUS_TAG, TRADE_TAG } from './batch-format.ts';
import type { ClientQueue } from './client-queue.ts';
import { Subscription } from './subscription.ts';

/** Which field of `Tick` the records of a topic are; a topic without one does not go to gRPC. */
const KIND_TAGS: ReadonlyMap<string, number> = new Map([
  ['trades', TRADE_TAG],
  ['quotes', QUOTE_TAG],
  ['status', STATUS_TAG],
]);

/** The ticks of one exchange, symbol and channel, or the status records about them: to all that subscribed. */
export class GrpcStream implements SinkStream {
  readonly descriptor: StreamDescriptor;
  private readonly kindTag: number | undefined;
  private subscribers: readonly { readonly queue: ClientQueue; readonly subscription: Subscription }[] = [];
  /** The last tick, for clients that want to begin with it; empty until there is one. */
  private last: Uint8Array = new Uint8Array(0);
  private lastEnd = 0;

  constructor(descriptor: StreamDescriptor) {
    this.descriptor = descriptor;
    this.kindTag = KIND_TAGS.get(descriptor.topic);
  }

  /** Always true: a client that is too slow is ended, and no concern of the pod's. */
  append(tick: EncodedTick): boolean {
    const length = tick.end - tick.start;
    if (this.last.length < length) this.last = new Uint8Array((length + 63) & ~63);
    this.lastEnd = copyBytes(tick.bytes, tick.start, tick.end, this.last, 0);
    // A subscriber may leave meanwhile: the list is then another one.
    const subscribers = this.subscribers;
    for (let index = 0; index < subscribers.length; index++) subscribers[index]!.subscription.push(tick);
    return true;
  }

  /** `conflate`: the client wants only the latest quote while it is behind. */
  add(queue: ClientQueue, conflate: boolean, lastValueFirst: boolean): void {
    if (this.kindTag === undefined) return;
    if (lastValueFirst && this.lastEnd > 0) queue.append(this.kindTag, this.last, 0, this.lastEnd);
    const conflates = conflate && this.descriptor.overflow === 'conflate';
    this.subscribers = [
      ...this.subscribers,
      { queue, subscription: new Subscription(queue, this.kindTag, conflates) },
    ];
  }

  remove(queue: ClientQueue): void {
    this.subscribers = this.subscribers.filter((each) => each.queue !== queue);
  }
}
