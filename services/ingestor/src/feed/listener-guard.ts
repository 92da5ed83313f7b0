import type { FeedListener, FeedSession, SubscriptionChange } from './feed.ts';
import type { FeedLogger } from './feed-options.ts';

/** Calls the listener so that its exceptions end here: counted, logged, and the socket goes on. */
export class ListenerGuard {
  failures = 0;
  readonly listener: FeedListener;
  private readonly exchange: string;
  private readonly logger: FeedLogger;

  constructor(listener: FeedListener, exchange: string, logger: FeedLogger) {
    this.listener = listener;
    this.exchange = exchange;
    this.logger = logger;
  }

  subscription(change: SubscriptionChange): void {
    try {
      this.listener.subscription(change);
    } catch (error) {
      this.failed(error);
    }
  }

  handover(phase: 'begin' | 'end', from: FeedSession, to: FeedSession): void {
    try {
      this.listener.handover(phase, from, to);
    } catch (error) {
      this.failed(error);
    }
  }

  /** The listener threw. */
  failed(error: unknown): void {
    this.failures++;
    if (!this.logger.admits('feed-listener-failed', this.exchange)) return;
    this.logger.error('feed-listener-failed', 'the listener threw on what the feed gave it', {
      exchange: this.exchange,
      error,
      data: { failures: this.failures },
    });
  }
}
