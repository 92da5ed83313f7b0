import type { ConnectionOptions } from 'node:tls';
import { type Clock, systemClock } from '../clock.ts';
import type { SinkLog } from '../sink-log.ts';

/** What ticks may be encoded as in Redis. */
export type RedisFormat = 'json' | 'avro';

/** A user name and password; the name may be missing (the default user). */
export interface RedisLogin {
  readonly username: string | null;
  readonly password: string;
}

/** Where Redis is and how to get in; the names are those of the configuration's section `redis`. */
export interface RedisServerOptions {
  /** One server; a master that sentinels name; a Cluster. */
  readonly mode: 'single' | 'sentinel' | 'cluster';
  /** host:port of the server, of sentinels, or of nodes of the Cluster. */
  readonly addresses: readonly string[];
  /** The master's name; null unless `mode` is `sentinel`. */
  readonly master: string | null;
  readonly database: number;
  /** The name by which Redis shows the connection. */
  readonly clientName: string;
  /** Null: no login. */
  readonly login: RedisLogin | null;
  /** For the sentinels themselves. */
  readonly sentinelLogin: RedisLogin | null;
  /** Null: no TLS. */
  readonly tls: ConnectionOptions | null;
  readonly connectTimeoutMs: number;
  /** How long Redis may take to answer before the connection is given up. */
  readonly requestTimeoutMs: number;
}

/** What both sinks have. */
interface CommonOptions {
  readonly format: RedisFormat;
  /** Most memory that waits for Redis. */
  readonly queueBytes: number;
  /** Most in one script call. */
  readonly batchBytes: number;
  /** Longest that a tick waits for others. */
  readonly lingerMs: number;
  readonly log: SinkLog;
  readonly clock?: Clock;
  /** From 0 to 1, for the spread of retries. */
  readonly random?: () => number;
}

export interface RedisPubSubOptions extends CommonOptions {
  /** Template of the channels' names. */
  readonly channel: string;
}

export interface RedisStreamsOptions extends CommonOptions {
  /** Template of the streams' keys. */
  readonly key: string;
  /** Entries that a stream keeps, about; Infinity: all. */
  readonly maxLength: number;
  /** How long a stream keeps its entries, about; Infinity: for ever. */
  readonly maxAgeMs: number;
  /** Each slot of a Cluster gets calls of its own. */
  readonly isCluster: boolean;
}

/** The options with what is left out filled in. */
export function withDefaults<T extends CommonOptions>(options: T): T & Required<CommonOptions> {
  return { clock: systemClock, random: Math.random, ...options };
}
