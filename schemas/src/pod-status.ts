import { EXCHANGES, type ExchangeName, TICK_CHANNELS, type TickChannel } from './names.ts';

/** States of a connection's transport, in the order of a session's life. */
export const CONNECTION_STATES = ['connecting', 'open', 'backing-off', 'closed'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** States of a subscription: (connection, channel, symbol). */
export const SUBSCRIPTION_STATES = ['requested', 'acknowledged', 'live', 'stale', 'rejected'] as const;
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number];

/** One WebSocket slot of the pod, as the sidecar sees it. Times are epoch milliseconds. */
export interface ConnectionStatus {
  exchange: ExchangeName;
  /** Stable for the pod's life: `binance-0`, `binance-1`, … */
  connection: string;
  state: ConnectionState;
  /** The session's random id; null while there is none. */
  session: string | null;
  openedAt: number | null;
  lastFrameAt: number | null;
  lastDataAt: number | null;
  messages: number;
  /** Reconnects by reason since the pod started. */
  reconnects: Record<string, number>;
  subscriptions: Record<SubscriptionState, number>;
}

/** A subscription that is not live, by name; live ones are only counted. */
export interface SubscriptionStatus {
  exchange: ExchangeName;
  connection: string | null;
  channel: TickChannel;
  symbol: string;
  state: SubscriptionState;
  since: number;
  reason: string | null;
}

export interface SinkStatus {
  sink: string;
  healthy: boolean;
  detail: string | null;
  queuedRecords: number;
  queuedBytes: number;
  queueLimitBytes: number;
  acknowledged: number;
  dropped: number;
  /**
   * From sending a request to its acknowledgement, in the last interval; null when none was acknowledged.
   * Missing from pods that are older than this member.
   */
  acknowledgementMs?: Quantiles | null;
}

/** In milliseconds. */
export interface Quantiles {
  p50: number;
  p99: number;
}

/** Symbols of one exchange. */
export interface UnitCounts {
  /** Those that the configuration asks for, over all shards, and that the exchange lists. */
  configured: number;
  /** Those of them that this pod owns. */
  owned: number;
}

export interface ExchangeStatus {
  exchange: ExchangeName;
  /** Distinct (symbol, channel) pairs that this pod owns. */
  owned: number;
  messages: number;
  ticks: number;
  invalid: number;
  gaps: number;
  reconnects: number;
  /** Receive time minus exchange time in the last interval; null when nothing carried a time. */
  latencyMs: Quantiles | null;
  /** Why nothing is subscribed yet (the listing can't be fetched, and why); null once it is. */
  waitingFor: string | null;
  /** Null until the listing was read, and missing from pods that are older than this member. */
  units?: UnitCounts | null;
}

/** Phases of a pod's life. */
export const POD_PHASES = ['starting', 'running', 'draining'] as const;
export type PodPhase = (typeof POD_PHASES)[number];

/** Answer of the ingestor's `GET /status`: what the sidecar polls. */
export interface PodStatus {
  version: string;
  producer: string;
  pid: number;
  startedAt: number;
  now: number;
  phase: PodPhase;
  shard: { index: number; count: number };
  /**
   * Short hash of all of the configuration that decides who owns what: the same on all pods that agree.
   * Missing from pods that are older than this member.
   */
  assignment?: string | null;
  /** Owned subscriptions are all acknowledged, live, or rejected and reported; and the sinks answer. Latched. */
  ready: boolean;
  /** What is still waited for, in one sentence; null when ready. */
  notReady: string | null;
  cpuSeconds: number;
  rssBytes: number;
  exchanges: ExchangeStatus[];
  connections: ConnectionStatus[];
  /** At most 1,000 that are not live. */
  notLive: SubscriptionStatus[];
  sinks: SinkStatus[];
}

/** What was given is not a {@link PodStatus}; the message names the place: `connections[3].state must be …`. */
export class PodStatusError extends Error {
  override name = 'PodStatusError';
}

/**
 * Checks that a parsed JSON document is a {@link PodStatus} and returns it, without members that this version
 * does not know. Members that an older pod lacks (the optional ones) become null: while a rollout goes on, pods
 * of two versions read each other. Throws PodStatusError.
 */
export function readPodStatus(document: unknown): PodStatus {
  return podStatus(document, '');
}

type Read<T> = (value: unknown, at: string) => T;

function fail(at: string, wanted: string, value: unknown): never {
  const shown = JSON.stringify(value) ?? 'missing';
  const is = shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
  throw new PodStatusError(`${at === '' ? 'the document' : at} must be ${wanted}, is ${is}`);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text: Read<string> = (value, at) => (typeof value === 'string' ? value : fail(at, 'a text', value));
const flag: Read<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : fail(at, 'true or false', value);
const amount: Read<number> = (value, at) =>
  typeof value === 'number' && value >= 0 ? value : fail(at, 'a number, 0 or more', value);

function orNull<T>(read: Read<T>): Read<T | null> {
  return (value, at) => (value === null ? null : read(value, at));
}

/** For members that came later: an older pod does not send them. */
function since<T>(read: Read<T>): Read<T | null> {
  return (value, at) => (value === undefined || value === null ? null : read(value, at));
}

function oneOf<const T extends string>(allowed: readonly T[]): Read<T> {
  return (value, at) =>
    allowed.find((each) => each === value) ?? fail(at, `one of ${allowed.join(', ')}`, value);
}

function listOf<T>(read: Read<T>): Read<T[]> {
  return (value, at) =>
    Array.isArray(value)
      ? value.map((each, index) => read(each, `${at}[${index}]`))
      : fail(at, 'a list', value);
}

function object<T extends object>(members: { readonly [K in keyof T]-?: Read<T[K]> }): Read<T> {
  const names = Object.keys(members) as (keyof T & string)[];
  return (value, at) => {
    if (!isMapping(value)) return fail(at, 'an object', value);
    const read: Partial<T> = {};
    for (const name of names) read[name] = members[name](value[name], at === '' ? name : `${at}.${name}`);
    return read as T;
  };
}

const quantiles: Read<Quantiles> = object<Quantiles>({ p50: amount, p99: amount });

const amountsByName: Read<Record<string, number>> = (value, at) =>
  isMapping(value)
    ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, amount(each, `${at}.${name}`)]))
    : fail(at, 'an object', value);

const podStatus: Read<PodStatus> = object<PodStatus>({
  version: text,
  producer: text,
  pid: amount,
  startedAt: amount,
  now: amount,
  phase: oneOf(POD_PHASES),
  shard: object({ index: amount, count: amount }),
  assignment: since(text),
  ready: flag,
  notReady: orNull(text),
  cpuSeconds: amount,
  rssBytes: amount,
  exchanges: listOf(
    object<ExchangeStatus>({
      exchange: oneOf(EXCHANGES),
      owned: amount,
      messages: amount,
      ticks: amount,
      invalid: amount,
      gaps: amount,
      reconnects: amount,
      latencyMs: orNull(quantiles),
      waitingFor: orNull(text),
      units: since(object({ configured: amount, owned: amount })),
    }),
  ),
  connections: listOf(
    object<ConnectionStatus>({
      exchange: oneOf(EXCHANGES),
      connection: text,
      state: oneOf(CONNECTION_STATES),
      session: orNull(text),
      openedAt: orNull(amount),
      lastFrameAt: orNull(amount),
      lastDataAt: orNull(amount),
      messages: amount,
      reconnects: amountsByName,
      subscriptions: object({
        requested: amount,
        acknowledged: amount,
        live: amount,
        stale: amount,
        rejected: amount,
      }),
    }),
  ),
  notLive: listOf(
    object<SubscriptionStatus>({
      exchange: oneOf(EXCHANGES),
      connection: orNull(text),
      channel: oneOf(TICK_CHANNELS),
      symbol: text,
      state: oneOf(SUBSCRIPTION_STATES),
      since: amount,
      reason: orNull(text),
    }),
  ),
  sinks: listOf(
    object<SinkStatus>({
      sink: text,
      healthy: flag,
      detail: orNull(text),
      queuedRecords: amount,
      queuedBytes: amount,
      queueLimitBytes: amount,
      acknowledged: amount,
      dropped: amount,
      acknowledgementMs: since(quantiles),
    }),
  ),
});
