import { PASSING, retryDelay } from '../retry-delay.ts';
import type { ClusterMetadata, KafkaBridge } from './bridge.ts';
import type { ResolvedKafkaOptions } from './options.ts';

/** Shortest time between two questions, however many ask. */
const SPACING_MS = 100;

/** Keeps asking the cluster who leads what: now and then, and soon when somebody needs to know. */
export class Leaders {
  /** Why the cluster was not reached, since when; null when it was. */
  trouble: { readonly message: string; readonly since: number } | null = null;
  private readonly options: ResolvedKafkaOptions;
  private readonly bridge: KafkaBridge;
  private readonly topics: readonly string[];
  /** Takes the answer; returns false when a leader is missing and should be asked for again. */
  private readonly apply: (metadata: ClusterMetadata) => boolean;
  private cancelTimer: (() => void) | null = null;
  private timerDue = Number.POSITIVE_INFINITY;
  private asking = false;
  /** Somebody asked while an older question was under way. */
  private askAgain = false;
  private attempts = 0;
  private askedAt = Number.NEGATIVE_INFINITY;
  private closed = false;

  constructor(
    options: ResolvedKafkaOptions,
    bridge: KafkaBridge,
    topics: readonly string[],
    apply: (metadata: ClusterMetadata) => boolean,
  ) {
    this.options = options;
    this.bridge = bridge;
    this.topics = topics;
    this.apply = apply;
  }

  start(): void {
    this.askIn(this.options.metadataMaxAgeMs);
  }

  close(): void {
    this.closed = true;
    this.cancelTimer?.();
  }

  /** Leaders may have moved. */
  refresh(): void {
    if (this.asking) this.askAgain = true;
    else if (this.attempts === 0)
      this.askIn(Math.max(0, this.askedAt + SPACING_MS - this.options.clock.now()));
    // Else the last question failed or found no leader: the next one is under way with its own delay.
  }

  private askIn(ms: number): void {
    if (this.closed) return;
    const { clock } = this.options;
    const due = clock.now() + ms;
    if (due >= this.timerDue) return;
    this.cancelTimer?.();
    this.timerDue = due;
    this.cancelTimer = clock.after(ms, () => {
      this.timerDue = Number.POSITIVE_INFINITY;
      void this.ask();
    });
  }

  private async ask(): Promise<void> {
    this.asking = true;
    this.askAgain = false;
    const { clock, random, log, metadataMaxAgeMs } = this.options;
    this.askedAt = clock.now();
    let complete = false;
    try {
      const metadata = await this.bridge.metadata(this.topics);
      if (this.closed) return;
      if (this.trouble !== null) log.info('cluster-reached', 'Kafka answers again', { sink: 'kafka' });
      this.trouble = null;
      complete = this.apply(metadata);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!this.closed && this.trouble?.message !== message) {
        log.warn('cluster-unreachable', `Kafka does not answer: ${message}`, { sink: 'kafka', error });
      }
      this.trouble = { message, since: this.trouble?.since ?? clock.now() };
    }
    this.asking = false;
    if (complete) {
      this.attempts = 0;
      this.askIn(this.askAgain ? SPACING_MS : metadataMaxAgeMs);
    } else this.askIn(retryDelay(++this.attempts, PASSING, random));
  }
}
