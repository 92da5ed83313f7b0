import { setTimeout as delay } from 'node:timers/promises';
import type { ExchangeName, SubscriptionStatus, UnitCounts } from '@tickline/schemas';
import type { ExchangeConfig } from './config.ts';
import { type Exchange, INVALID_REASONS, ListingError } from './exchanges/exchange.ts';
import type { Instrument } from './exchanges/instrument.ts';
import { InstrumentIndex } from './exchanges/instrument-index.ts';
import { createFeed, type Feed } from './feed/feed.ts';
import { listingRetryMs } from './listing-retry.ts';
import { ExchangePipeline, type PipelineOutputs } from './pipeline/exchange-pipeline.ts';
import { wantedUnits } from './pipeline/wanted-units.ts';
import { type Given, tallyUnits, type UnitTally } from './sharding/unit-tally.ts';
import type { DirectoryEntry } from './sinks/sink-context.ts';
import { ExchangeCounters } from './telemetry/counters.ts';
import type { Logger } from './telemetry/logger.ts';

/** What one exchange of a pod is made of. */
export interface ExchangeRunnerOptions {
  readonly exchange: Exchange;
  readonly config: ExchangeConfig;
  /** How many pods share the exchange's limits per address. */
  readonly limitsSharedBy: number;
  /** The shards that own a symbol of the exchange. */
  readonly owners: (symbol: string) => readonly number[];
  /** This pod's shard. */
  readonly shard: number;
  readonly wanted: (symbol: string) => boolean;
  /** Configured symbols without wildcard. */
  readonly named: readonly string[];
  readonly outputs: PipelineOutputs;
  readonly logger: Logger;
  /** Aborted when the pod stops. */
  readonly signal: AbortSignal;
}

/**
 * One exchange of a pod: fetches the listing until it has it, subscribes what the shard owns, and
 * rejects by name what the exchange does not list. An exchange that does not answer keeps only
 * itself waiting.
 */
export class ExchangeRunner {
  readonly name: ExchangeName;
  readonly counters: ExchangeCounters;
  feed: Feed | null = null;
  pipeline: ExchangePipeline | null = null;
  /** Why there is no feed yet. */
  waitingFor: string | null = 'the listing';
  /** Every symbol of the configuration that the exchange lists, whoever owns it. */
  directory: readonly DirectoryEntry[] = [];
  /** Subscriptions of the symbols that this shard owns. */
  owned = 0;
  /** Units by how they are given; those of patterns are not known until the listing was read. */
  readonly tallies: Map<Given, UnitTally> = new Map();
  private unlistedUnits: SubscriptionStatus[] = [];
  private readonly options: ExchangeRunnerOptions;
  private readonly logger: Logger;

  constructor(options: ExchangeRunnerOptions) {
    this.name = options.exchange.name;
    this.options = options;
    this.logger = options.logger.child({ exchange: this.name });
    this.counters = new ExchangeCounters(this.name, INVALID_REASONS);
    this.tally('name', options.named);
  }

  /**
   * Resolves with the counts of subscribed and of rejected symbols once the listing is there and the
   * feed was started; with null when the pod stops before. Rejects when two names are one symbol.
   */
  async start(): Promise<{ listed: number; unlisted: readonly string[] } | null> {
    const listing = await this.fetchListing();
    if (listing === null) return null;
    const { config, owners, shard, wanted, named, outputs } = this.options;
    const units = wantedUnits(listing, wanted, named, (symbol) => owners(symbol).includes(shard));
    this.directory = units.all.map((instrument) => ({
      ...instrument,
      channels: config.channels,
      shards: owners(instrument.symbol),
    }));
    this.reject(units.unlisted);
    const byName = new Set(named);
    this.tally(
      'pattern',
      units.all.map(({ symbol }) => symbol).filter((symbol) => !byName.has(symbol)),
    );

    const index = new InstrumentIndex();
    const pipeline = new ExchangePipeline(this.options.exchange, index, this.counters, outputs);
    const subscriptions = units.listed.flatMap((listed) => {
      const instrument = index.add(listed);
      return config.channels.map((channel) => ({ channel, instrument }));
    });
    for (const { instrument, channel } of subscriptions) pipeline.subscribe(instrument, channel);
    this.pipeline = pipeline;
    this.owned = subscriptions.length + this.unlistedUnits.length;
    this.waitingFor = null;
    if (subscriptions.length > 0 && !this.options.signal.aborted) {
      this.feed = createFeed({
        exchange: this.options.exchange,
        endpoints: config.endpoints,
        limits: config.limits,
        heartbeat: config.heartbeat,
        dataSilenceMs: config.dataSilenceMs,
        ackTimeoutMs: config.ackTimeoutMs,
        backoff: config.backoff,
        permessageDeflate: config.permessageDeflate,
        subscriptions,
        listener: pipeline,
        logger: this.logger,
        sharedBy: this.options.limitsSharedBy,
      });
      this.feed.start();
    }
    return { listed: units.listed.length, unlisted: units.unlisted };
  }

  /** True when every owned subscription was acknowledged, or rejected and reported. */
  settled(): boolean {
    return this.pipeline !== null && (this.feed === null || this.feed.settled());
  }

  /** Symbols that are configured and listed, and those of them that this shard owns; null until the listing was read. */
  units(): UnitCounts | null {
    if (this.pipeline === null) return null;
    const { shard } = this.options;
    return {
      configured: this.directory.length,
      owned: this.directory.filter(({ shards }) => shards.includes(shard)).length,
    };
  }

  /** Subscriptions that are not live, those included for which there is no instrument. */
  notLive(): SubscriptionStatus[] {
    return [...this.unlistedUnits, ...(this.feed?.notLive() ?? [])];
  }

  private tally(given: Given, symbols: readonly string[]): void {
    const { owners, shard } = this.options;
    this.tallies.set(given, tallyUnits({ exchange: this.name, shard, owners }, symbols));
  }

  private reject(symbols: readonly string[]): void {
    const reason = `${this.name} does not list it`;
    const now = Date.now();
    for (const symbol of symbols) {
      this.logger.warn('unit-rejected', `${symbol} is rejected: ${reason}`, { symbol });
      for (const channel of this.options.config.channels) {
        this.unlistedUnits.push({
          exchange: this.name,
          connection: null,
          channel,
          symbol,
          state: 'rejected',
          since: now,
          reason,
        });
        this.options.outputs.status.write(
          { exchange: this.name, symbol, exchangeSymbol: '', channel },
          { time: now * 1000, state: 'rejected', reason },
        );
      }
    }
  }

  /** The listing, however long the exchange does not answer; null when the pod stops. */
  private async fetchListing(): Promise<readonly Instrument[] | null> {
    const { exchange, config, signal } = this.options;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await exchange.fetchInstruments({
          endpoints: config.endpoints,
          signal,
          timeoutMs: config.listingTimeoutMs,
        });
      } catch (error) {
        if (signal.aborted) break;
        this.waitingFor = `the listing: ${(error as Error).message}`;
        const pauseMs = error instanceof ListingError ? error.pauseMs : null;
        const waitMs = listingRetryMs(failures, pauseMs, Math.random);
        this.logger.warn(
          'listing-failed',
          `the listing could not be fetched, next try in ${Math.round(waitMs / 1000)} s`,
          {
            error,
          },
        );
        await delay(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }
}
