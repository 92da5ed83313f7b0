import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { systemClock } from '../clock.ts';
import type { SinkLog } from '../sink-log.ts';
import { IoredisLink } from './ioredis-link.ts';
import type { RedisFormat, RedisLogin, RedisServerOptions } from './options.ts';
import { RedisPubSubSink } from './redis-pubsub-sink.ts';
import { RedisStreamsSink } from './redis-streams-sink.ts';

/** The configuration's section `redis`, checked. */
export interface RedisSettings {
  readonly mode: RedisServerOptions['mode'];
  readonly addresses: readonly string[];
  readonly database: number;
  readonly clientName: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly sentinel: {
    readonly master: string | null;
    readonly username: string | null;
    readonly password: string | null;
  };
  readonly tls: {
    readonly enabled: boolean;
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  };
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly streams: {
    readonly enabled: boolean;
    readonly format: RedisFormat;
    readonly key: string;
    readonly maxLength: number;
    readonly maxAgeMs: number;
    readonly queueBytes: number;
    readonly batchBytes: number;
    readonly lingerMs: number;
  };
  readonly pubsub: {
    readonly enabled: boolean;
    readonly format: RedisFormat;
    readonly channel: string;
    readonly queueBytes: number;
    readonly batchBytes: number;
    readonly lingerMs: number;
  };
}

/** The Redis Streams sink of a configuration; null when it is not switched on. */
export function createRedisStreamsSink(settings: RedisSettings, log: SinkLog): RedisStreamsSink | null {
  const { enabled, ...options } = settings.streams;
  if (!enabled) return null;
  const isCluster = settings.mode === 'cluster';
  return new RedisStreamsSink({ ...options, isCluster, log }, linkOf(settings, 'redis-streams', log));
}

/** The Redis Pub/Sub sink of a configuration; null when it is not switched on. */
export function createRedisPubSubSink(settings: RedisSettings, log: SinkLog): RedisPubSubSink | null {
  const { enabled, ...options } = settings.pubsub;
  return enabled ? new RedisPubSubSink({ ...options, log }, linkOf(settings, 'redis-pubsub', log)) : null;
}

/** Each sink has a connection of its own, so that neither waits behind the other. */
function linkOf(settings: RedisSettings, sink: string, log: SinkLog): IoredisLink {
  return new IoredisLink(serverOf(settings), { sink, log, clock: systemClock, random: Math.random });
}

function serverOf(settings: RedisSettings): RedisServerOptions {
  const { mode, addresses, database, clientName, connectTimeoutMs, requestTimeoutMs, sentinel } = settings;
  return {
    mode,
    addresses,
    master: sentinel.master,
    database,
    clientName,
    login: loginOf(settings),
    sentinelLogin: loginOf(sentinel),
    tls: tlsOf(settings.tls),
    connectTimeoutMs,
    requestTimeoutMs,
  };
}

function loginOf({
  username,
  password,
}: {
  username: string | null;
  password: string | null;
}): RedisLogin | null {
  return password === null ? null : { username, password };
}

function tlsOf({ enabled, caFile, certFile, keyFile }: RedisSettings['tls']): ConnectionOptions | null {
  if (!enabled) return null;
  return {
    ...(caFile === null ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === null ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === null ? {} : { key: readFileSync(keyFile) }),
  };
}
