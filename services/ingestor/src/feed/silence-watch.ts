import type { TickChannel } from '@tickline/schemas';
import { Backoff } from './backoff.ts';
import { isBusy, silenceLimitMs } from './data-rhythm.ts';
import type { FeedTimings } from './feed-options.ts';
import { ANSWER, type TopicTable } from './topic-table.ts';

export interface SilenceWatchSettings {
  readonly dataSilenceMs: Readonly<Record<TickChannel, number>>;
  readonly timings: Pick<FeedTimings, 'busyIntervalMs' | 'adaptiveSilenceMs' | 'resubscribe'>;
  readonly random: () => number;
}

/** What a check found. */
export interface SilenceFindings {
  /** Subscriptions that are stale, whether newly or still. */
  readonly silent: readonly { readonly topic: number; readonly reason: string }[];
  /** Of these: to be subscribed again now. */
  readonly resubscribe: readonly number[];
  /** How many are normally busy, when all of these stayed silent although subscribed again; else 0. */
  readonly deadBusy: number;
}

/** Design rule 3, life of data: each subscription of a session by its own rhythm. */
export class SilenceWatch {
  private readonly settings: SilenceWatchSettings;
  private readonly table: TopicTable;
  private readonly attempts = new Map<number, { readonly backoff: Backoff; notBefore: number }>();
  private heard = false;

  constructor(settings: SilenceWatchSettings, table: TopicTable) {
    this.settings = settings;
    this.table = table;
  }

  /** Whether any tick was noticed since the last call. */
  takeHeard(): boolean {
    const { heard } = this;
    this.heard = false;
    return heard;
  }

  /** The first tick of a topic in this session, or the first after silence. */
  firstData(topic: number, now: number): void {
    const { table } = this;
    const { rhythm } = table.subscriptions[topic]!;
    if (table.hadData[topic] === 0) rhythm.first();
    else rhythm.observe(1, now - table.quietSince[topic]!);
    table.hadData[topic] = 1;
    table.askedAgain[topic] = 0;
    table.awaited[topic] = 0;
    table.ticks[topic] = 0;
    table.quietSince[topic] = now;
    this.attempts.delete(topic);
    this.heard = true;
  }

  /**
   * Reads the counts since the last check. `watchedSince`: nothing before it counts as silence.
   * `flowing`: other subscriptions of the exchange bring data, without which a subscription that
   * never did proves nothing.
   */
  check(now: number, watchedSince: number, flowing: boolean): SilenceFindings {
    const { table, settings } = this;
    const silent: { topic: number; reason: string }[] = [];
    let busy = 0;
    let deadBusy = 0;
    table.subscriptions.forEach(({ channel, rhythm }, topic) => {
      const { usualMs } = rhythm;
      const since = Math.max(table.quietSince[topic]!, watchedSince);
      const busyTopic = isBusy(usualMs, settings.timings.busyIntervalMs);
      if (table.ticks[topic]! > 0) {
        this.heard = true;
        rhythm.observe(table.ticks[topic]!, now - since);
        table.ticks[topic] = 0;
        table.quietSince[topic] = now;
        if (busyTopic) busy++;
        return;
      }
      if (table.answer[topic] !== ANSWER.confirmed) return;
      const silentMs = now - since;
      const limitMs = this.limitMs(channel, usualMs);
      if (busyTopic) {
        busy++;
        if (silentMs > 2 * limitMs) deadBusy++;
      }
      if (silentMs <= limitMs || (table.hadData[topic] === 0 && !flowing)) return;
      silent.push({ topic, reason: this.reason(topic, silentMs, usualMs) });
    });
    return {
      silent,
      resubscribe: silent.filter(({ topic }) => this.suspect(topic, now)).map(({ topic }) => topic),
      deadBusy: deadBusy === busy ? deadBusy : 0,
    };
  }

  /** Takes the topic as silent; true when its backoff allows to subscribe it again now. */
  suspect(topic: number, now: number): boolean {
    this.table.awaited[topic] = 1;
    let attempt = this.attempts.get(topic);
    if (attempt === undefined) {
      attempt = {
        backoff: new Backoff(this.settings.timings.resubscribe, this.settings.random),
        notBefore: now,
      };
      this.attempts.set(topic, attempt);
    }
    if (now < attempt.notBefore) return false;
    attempt.notBefore = now + attempt.backoff.next();
    this.table.askedAgain[topic] = 1;
    return true;
  }

  private limitMs(channel: TickChannel, usualMs: number): number {
    const { dataSilenceMs, timings } = this.settings;
    const settings = {
      minimumMs: dataSilenceMs[channel],
      busyIntervalMs: timings.busyIntervalMs,
      adaptiveMinimumMs: timings.adaptiveSilenceMs,
    };
    return silenceLimitMs(settings, usualMs);
  }

  private reason(topic: number, silentMs: number, usualMs: number): string {
    const seconds = `${Math.round(silentMs / 1000)} s`;
    if (this.table.hadData[topic] === 0) return `acknowledged but silent for ${seconds}`;
    const usually = usualMs > 0 ? `, usually every ${Number((usualMs / 1000).toPrecision(2))} s` : '';
    return `no data for ${seconds}${usually}`;
  }
}
