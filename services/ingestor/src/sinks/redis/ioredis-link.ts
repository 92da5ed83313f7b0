import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '../clock.ts';
import { PASSING, retryDelay, SET_ASIDE } from '../retry-delay.ts';
import type { SinkLog } from '../sink-log.ts';
import { diagnose } from './connection-trouble.ts';
import type { RedisServerOptions } from './options.ts';
import {
  type LinkListener,
  type LinkTrouble,
  RedisConnectionError,
  type RedisLink,
  RedisReplyError,
} from './redis-link.ts';

/** How long a connection that was given up may take to say goodbye. */
const GOODBYE_MS = 100;
/** A connection that neither answers nor ends for so long counts as one: there may be nothing to send. */
const PROVED_AFTER_MS = 1_000;

type Client = Redis | Cluster;

/** What a link needs beside the server's options. */
export interface LinkContext {
  /** The sink's name, for the log. */
  readonly sink: string;
  readonly log: SinkLog;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * A connection by ioredis, a new client for each of its lives: nothing is queued, sent again or connected again
 * behind our back.
 */
export class IoredisLink implements RedisLink {
  isUp = false;
  trouble: LinkTrouble | null = null;
  private readonly options: RedisServerOptions;
  private readonly context: LinkContext;
  private readonly pending = new Set<(error: RedisConnectionError) => void>();
  readonly tried: Promise<void>;
  private readonly hasTried: () => void;
  private listener: LinkListener | null = null;
  private client: Client | null = null;
  private failures = 0;
  private cancelRetry = () => {};
  private cancelProof = () => {};
  private closed = false;

  constructor(options: RedisServerOptions, context: LinkContext) {
    this.options = options;
    this.context = context;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.tried = promise;
    this.hasTried = resolve;
  }

  start(listener: LinkListener): void {
    this.listener = listener;
    this.trouble = { since: this.context.clock.now(), message: 'not connected yet' };
    this.connect();
  }

  run(script: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    const { client } = this;
    if (client === null || !this.isUp) return Promise.reject(new RedisConnectionError('not connected'));
    return new Promise((resolve, reject) => {
      const { requestTimeoutMs } = this.options;
      const cancel = this.context.clock.after(requestTimeoutMs, () => {
        this.ended(client, new Error(`no answer within redis.requestTimeoutMs (${requestTimeoutMs})`));
      });
      const fail = (error: RedisConnectionError | RedisReplyError): void => {
        cancel();
        this.pending.delete(fail);
        reject(error);
      };
      this.pending.add(fail);
      client.eval(script, keys.length, ...keys, ...args).then(
        (answer) => {
          cancel();
          this.pending.delete(fail);
          this.proved(client);
          resolve(answer);
        },
        (error: unknown) => {
          const told = asLinkError(error);
          fail(told);
          // The master became a replica and kept our connection: who asks anew is led to the next master.
          if (told instanceof RedisReplyError && told.code === 'READONLY') this.ended(client, told);
        },
      );
    });
  }

  close(): void {
    this.closed = true;
    this.hasTried();
    this.cancelRetry();
    if (this.client !== null) this.leave(this.client, 'closed');
  }

  private connect(): void {
    const client = this.createClient();
    this.client = client;
    let last: unknown = null;
    client.on('error', (error: unknown) => {
      last = error;
    });
    // A Cluster tells of its nodes' troubles apart; the reason for a refusal is among them.
    if (client instanceof Cluster) client.on('node error', (error: unknown) => (last = error));
    client.once('end', () => this.ended(client, last ?? new Error('Connection is closed.')));
    client.connect().then(
      () => this.connected(client),
      (error: unknown) => this.ended(client, betterOf(last, error)),
    );
  }

  private connected(client: Client): void {
    if (client !== this.client) return;
    this.isUp = true;
    this.hasTried();
    this.cancelProof = this.context.clock.after(PROVED_AFTER_MS, () => this.proved(client));
    this.listener!.up();
  }

  /** The connection is worth something: it has answered, or stood for a while. */
  private proved(client: Client): void {
    if (client !== this.client || this.trouble === null) return;
    const { log, sink } = this.context;
    this.cancelProof();
    if (this.failures > 0) log.info('redis-reached', 'Redis answers', { sink });
    this.failures = 0;
    this.trouble = null;
  }

  /** That life is over; a new one begins after a while. */
  private ended(client: Client, error: unknown): void {
    if (client !== this.client || this.closed) return;
    const { clock, random, log, sink } = this.context;
    const { message, isRefusal } = diagnose(error, this.options);
    if (this.failures === 0 || this.trouble?.message !== message) {
      log[isRefusal ? 'error' : 'warn']('redis-unreachable', message, { sink });
    }
    this.trouble = { since: this.failures === 0 ? clock.now() : this.trouble!.since, message };
    this.failures++;
    this.hasTried();
    this.leave(client, message);
    this.cancelRetry = clock.after(retryDelay(this.failures, isRefusal ? SET_ASIDE : PASSING, random), () => {
      this.connect();
    });
  }

  private leave(client: Client, reason: string): void {
    const wasUp = this.isUp;
    this.client = null;
    this.isUp = false;
    this.cancelProof();
    client.disconnect();
    for (const fail of [...this.pending]) fail(new RedisConnectionError(reason));
    if (wasUp && !this.closed) this.listener!.down();
  }

  private createClient(): Client {
    const { mode, addresses, master, sentinelLogin, database, tls } = this.options;
    const [first] = addresses.map(hostAndPort);
    const common = this.clientOptions();
    if (mode === 'cluster') {
      return new Cluster(addresses.map(hostAndPort), {
        lazyConnect: true,
        enableOfflineQueue: false,
        enableReadyCheck: false,
        clusterRetryStrategy: () => null,
        slotsRefreshTimeout: this.options.connectTimeoutMs,
        // Names of certificates are hosts' names: what the Cluster announces is what is dialled.
        ...(tls === null
          ? {}
          : {
              dnsLookup: (address: string, done: (error: null, address: string) => void) =>
                done(null, address),
            }),
        redisOptions: common,
      });
    }
    if (mode === 'sentinel') {
      return new Redis({
        ...common,
        db: database,
        sentinels: addresses.map(hostAndPort),
        name: master!,
        sentinelRetryStrategy: () => null,
        ...(sentinelLogin === null
          ? {}
          : {
              sentinelPassword: sentinelLogin.password,
              ...(sentinelLogin.username === null ? {} : { sentinelUsername: sentinelLogin.username }),
            }),
        ...(tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      });
    }
    return new Redis({ ...common, ...first!, db: database });
  }

  private clientOptions() {
    const { login, tls, clientName, connectTimeoutMs } = this.options;
    return {
      lazyConnect: true,
      // Refusals that pass (LOADING, READONLY) are answers to our scripts: they are asked again there.
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: null,
      retryStrategy: () => null,
      protocol: 2,
      disableClientInfo: true,
      connectionName: clientName,
      connectTimeout: connectTimeoutMs,
      disconnectTimeout: GOODBYE_MS,
      ...(login === null ? {} : { password: login.password }),
      ...(login === null || login.username === null ? {} : { username: login.username }),
      ...(tls === null ? {} : { tls }),
    } satisfies RedisOptions;
  }
}

function asLinkError(error: unknown): RedisConnectionError | RedisReplyError {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof Error && error.name === 'ReplyError'
    ? new RedisReplyError(message)
    : new RedisConnectionError(message);
}

/** The rejection says only that the connection is closed, where an event before it said why. */
function betterOf(event: unknown, rejection: unknown): unknown {
  const says = rejection instanceof Error && !/^Connection is closed/.test(rejection.message);
  return event === null || says ? rejection : event;
}

function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
