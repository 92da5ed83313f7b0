import type { ConnectionStatus, ExchangeName, SubscriptionStatus, TickChannel } from '@tickline/schemas';
import { TICK_CHANNELS } from '@tickline/schemas';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { ConnectGate } from './connect-gate.ts';
import type { ConnectionContext } from './connection.ts';
import { Connection } from './connection.ts';
import { DataRhythm } from './data-rhythm.ts';
import type { Feed } from './feed.ts';
import type { FeedOptions } from './feed-options.ts';
import { DATA_SILENCE_MS, feedTimings, HEARTBEAT_SETTINGS } from './feed-options.ts';
import { HeartbeatMonitor } from './heartbeat-monitor.ts';
import { ListenerGuard } from './listener-guard.ts';
import { Placement } from './placement.ts';
import type { Subscription } from './subscriptions.ts';
import { Subscriptions } from './subscriptions.ts';
import { placeTopics } from './topic-placement.ts';

/** What is asked for cannot be kept within the limits; the message names the settings. */
export class FeedOptionsError extends Error {
  override name = 'FeedOptionsError';
}

/**
 * The feed of one exchange. Throws a FeedOptionsError when a subscription is given twice, when the
 * endpoint is no WebSocket address, or when more connections are needed than the limit allows.
 */
export function createFeed(options: FeedOptions): Feed {
  return new ConnectionManager(options);
}

/** Spreads subscriptions over connections and keeps these up. */
class ConnectionManager implements Feed {
  readonly exchange: ExchangeName;
  private readonly connectionList: Connection[] = [];
  /** No connection was left for them after the exchange took fewer topics than planned. */
  private readonly unplaced = new Set<Subscription>();
  private readonly context: ConnectionContext;
  private readonly gate: ConnectGate;
  private readonly subscriptions: Subscriptions;
  private readonly guard: ListenerGuard;
  private readonly monitor: HeartbeatMonitor;
  private readonly clock: Clock;
  /** What the exchange taught us. */
  private topicsPerConnection: number;
  private readonly heardChannels = new Set<TickChannel>();
  private startedAt = 0;
  private started = false;
  private paused = false;
  private stopped: Promise<void> | null = null;

  constructor(options: FeedOptions) {
    const { exchange, limits, logger } = options;
    const clock = options.clock ?? systemClock();
    const heartbeat = options.heartbeat ?? HEARTBEAT_SETTINGS;
    this.exchange = exchange.name;
    this.clock = clock;
    this.topicsPerConnection = limits.topicsPerConnection;
    this.guard = new ListenerGuard(options.listener, exchange.name, logger);
    this.gate = new ConnectGate(limits, options.sharedBy, clock);
    const all = subscriptionsOf(options, clock.epoch());
    this.subscriptions = new Subscriptions(
      all,
      () => clock.epoch(),
      (change) => this.guard.subscription(change),
    );
    const slots = all.reduce((most, { instrument }) => Math.max(most, instrument.slot + 1), 0);
    this.context = {
      exchange,
      address: socketAddress(options),
      limits,
      heartbeat,
      dataSilenceMs: options.dataSilenceMs ?? DATA_SILENCE_MS,
      timings: feedTimings(options),
      permessageDeflate: options.permessageDeflate,
      guard: this.guard,
      logger,
      placement: new Placement(slots),
      random: options.random ?? Math.random,
      clock,
      gate: this.gate,
      subscriptions: this.subscriptions,
      spread: (connection) => this.spread(connection),
    };
    this.monitor = new HeartbeatMonitor(heartbeat, clock, (now) => this.check(now));
    const groups = placeTopics(all, limits);
    if (groups.length > this.gate.limit) {
      throw new FeedOptionsError(
        `${exchange.name}: ${all.length} topics need ${groups.length} connections, allowed are ${this.gate.limit} ` +
          `(limits.connections ${limits.connections} shared by ${options.sharedBy}): ` +
          'raise limits.topicsPerConnection or limits.connections, or spread over more shards',
      );
    }
    for (const topics of groups)
      this.connectionList.push(new Connection(this.context, this.connectionList.length, topics));
  }

  start(): void {
    if (this.started || this.stopped !== null) return;
    this.started = true;
    this.startedAt = this.clock.monotonic();
    for (const subscription of this.subscriptions.all) {
      this.subscriptions.apply(subscription, 'requested', null, 'not asked for yet');
    }
    this.monitor.start();
    for (const connection of this.connectionList) connection.start();
  }

  pause(): void {
    this.paused = true;
    for (const connection of this.connectionList) connection.pause();
  }

  resume(): void {
    this.paused = false;
    for (const connection of this.connectionList) connection.resume();
  }

  stop(budgetMs: number): Promise<void> {
    this.stopped ??= this.close(budgetMs);
    return this.stopped;
  }

  connections(): ConnectionStatus[] {
    return this.connectionList.map((connection) => connection.status());
  }

  notLive(): SubscriptionStatus[] {
    const found: SubscriptionStatus[] = [];
    for (const connection of this.connectionList) {
      for (const subscription of connection.subscriptions) note(subscription, connection.name, found);
    }
    for (const subscription of this.unplaced) note(subscription, null, found);
    return found;
  }

  settled(): boolean {
    const { subscriptions } = this;
    const count =
      subscriptions.count('acknowledged') + subscriptions.count('live') + subscriptions.count('rejected');
    return count === subscriptions.all.length;
  }

  subscriptionCount(): number {
    const { subscriptions } = this;
    return subscriptions.count('acknowledged') + subscriptions.count('live') + subscriptions.count('stale');
  }

  activeConnections(): number {
    return this.connectionList.reduce((sum, connection) => sum + connection.openSockets, 0);
  }

  reconnects(): number {
    return this.connectionList.reduce((sum, connection) => sum + connection.reconnects, 0);
  }

  listenerFailures(): number {
    return this.guard.failures;
  }

  private async close(budgetMs: number): Promise<void> {
    this.monitor.stop();
    this.gate.stop();
    await Promise.all(this.connectionList.map((connection) => connection.stop(budgetMs)));
  }

  private check(now: number): void {
    let flowing = false;
    for (const connection of this.connectionList) if (connection.takeHeard()) flowing = true;
    for (const connection of this.connectionList) connection.check(now, flowing);
    if (flowing && !this.paused) this.suspectUnheardChannels(now);
  }

  /**
   * A wrong address of a channel acknowledges and stays silent (Binance USD-M routes). One quiet
   * symbol proves nothing, but a whole channel without a single tick while another flows does.
   */
  private suspectUnheardChannels(now: number): void {
    const limitMs = this.context.timings.channelSilenceMs;
    if (now - this.startedAt < limitMs || this.heardChannels.size === TICK_CHANNELS.length) return;
    for (const { channel, rhythm } of this.subscriptions.all)
      if (rhythm.everData) this.heardChannels.add(channel);
    const since = this.clock.epoch() - limitMs;
    const unheard = ({ channel, state, since: changedAt }: Subscription) =>
      !this.heardChannels.has(channel) &&
      (state === 'acknowledged' || state === 'stale') &&
      changedAt <= since;
    for (const connection of this.connectionList) {
      const topics = [...connection.subscriptions.keys()].filter((topic) =>
        unheard(connection.subscriptions[topic]!),
      );
      if (topics.length > 0)
        connection.suspect(topics, 'acknowledged but silent, as is its whole channel', now);
    }
  }

  /** Halves what a connection may hold, for this one now and for all that are made later. */
  private spread(connection: Connection): void {
    const held = connection.subscriptions.length;
    const keep = Math.max(1, Math.floor(held / 2));
    if (keep >= held) return;
    this.topicsPerConnection = Math.min(this.topicsPerConnection, keep);
    const groups = placeTopics(connection.release(keep), {
      ...this.context.limits,
      topicsPerConnection: this.topicsPerConnection,
    });
    this.context.logger.warn(
      'topics-per-connection-halved',
      `at most ${this.topicsPerConnection} topics on a connection`,
      {
        exchange: this.exchange,
        connection: connection.name,
        reason: 'too many topics for the exchange',
      },
    );
    for (const topics of groups) this.add(topics);
  }

  private add(topics: readonly Subscription[]): void {
    if (this.connectionList.length >= this.gate.limit) {
      const reason = `no connection left: limits.connections allows ${this.gate.limit}`;
      for (const subscription of topics) {
        this.unplaced.add(subscription);
        this.subscriptions.apply(subscription, 'lost', null, reason);
      }
      this.context.logger.error(
        'subscriptions-unplaced',
        `${topics.length} subscriptions have no connection`,
        {
          exchange: this.exchange,
          reason,
        },
      );
      return;
    }
    const connection = new Connection(this.context, this.connectionList.length, topics);
    this.connectionList.push(connection);
    if (this.paused) connection.pause();
    connection.start();
  }
}

function subscriptionsOf(options: FeedOptions, epoch: number): Subscription[] {
  const names = new Set<string>();
  return options.subscriptions.map(({ channel, instrument }) => {
    const topic = options.exchange.topic(channel, instrument);
    if (names.has(topic.name)) {
      throw new FeedOptionsError(`${options.exchange.name}: ${topic.name} is subscribed twice`);
    }
    names.add(topic.name);
    return {
      channel,
      instrument,
      topic,
      rhythm: new DataRhythm(),
      state: null,
      since: epoch,
      reason: '',
      lost: false,
    };
  });
}

function socketAddress({ exchange, endpoints }: FeedOptions): string {
  const address = exchange.socketUrl(endpoints.websocket);
  const protocol = URL.canParse(address) ? new URL(address).protocol : '';
  if (protocol === 'wss:' || protocol === 'ws:') return address;
  throw new FeedOptionsError(
    `${exchange.name}: endpoints.websocket must be wss://host or ws://host, not ${address}`,
  );
}

function note(subscription: Subscription, connection: string | null, found: SubscriptionStatus[]): void {
  const { state, instrument, channel, since, reason } = subscription;
  if (state === null || state === 'live') return;
  found.push({
    exchange: instrument.exchange,
    connection,
    channel,
    symbol: instrument.symbol,
    state,
    since,
    reason: reason === '' ? null : reason,
  });
}
