import {
  DEFAULT_TOPIC_PREFIX,
  EXCHANGES,
  type ExchangeName,
  TICK_CHANNELS,
  type TickChannel,
} from '@tickline/schemas';
import type { FeedLimits } from '../exchanges/exchange.ts';
import { address, plainSymbol, topicPrefix, unitName, url } from './domain-formats.ts';
import type { AllExchangeDefaults, ExchangeDefaults } from './exchange-defaults.ts';
import {
  boolean,
  bytes,
  type Format,
  integer,
  list,
  milliseconds,
  oneOf,
  orNone,
  orNull,
  path,
  positive,
  record,
  secret,
  text,
} from './format.ts';
import { type Key, key, pathKey, requiredKey, secretKey } from './key.ts';
import { redisKeys } from './redis-keys.ts';

/** A unit that is owned by one shard whatever the hash says. */
export interface Pin {
  /** `exchange:symbol`. */
  readonly unit: string;
  readonly shard: number;
}

/** A shard that owns these units and nothing else. */
export interface ExclusiveShard {
  readonly shard: number;
  readonly units: readonly string[];
}

const MIB = 1024 * 1024;
const DAY = 86_400_000;

const shardNumber = integer(0, 99_999);
const pins = list(record<Pin>({ unit: unitName(), shard: shardNumber }));
const exclusive = list(record<ExclusiveShard>({ shard: shardNumber, units: list(unitName()) }));

/**
 * Every setting there is: the source of the convict schema, of the type {@link Values}, of `--help`
 * and of docs/configuration.md.
 */
export function configurationKeys(exchanges: AllExchangeDefaults) {
  return {
    shard: {
      index: requiredKey(
        shardNumber,
        'Which shard this pod is, from 0. There is no default on purpose: two pods with one index would write everything twice.',
      ),
      count: requiredKey(integer(1, 100_000), 'How many shards there are; the same on every pod.'),
      previousCount: key(
        orNull(integer(1, 100_000)),
        null,
        'While the shard count or the pins change: the count before. Pods then own what they owned before and what they own now, so that nothing is left out during the rollout; remove it afterwards.',
      ),
      pins: key(
        pins,
        [],
        'Units that belong to one shard whatever the hash says, to spread heavy symbols; `plan --balance` writes them.',
      ),
      exclusive: key(exclusive, [], 'Shards that own the units listed here and nothing else.'),
      previousPins: key(
        orNull(pins),
        null,
        'The pins before the change, with shard.previousCount; not set: the present ones.',
      ),
      previousExclusive: key(
        orNull(exclusive),
        null,
        'The exclusive shards before the change, with shard.previousCount; not set: the present ones.',
      ),
    },
    exchanges: Object.fromEntries(EXCHANGES.map((name) => [name, exchangeKeys(exchanges[name])])) as Record<
      ExchangeName,
      ReturnType<typeof exchangeKeys>
    >,
    kafka: {
      enabled: key(boolean(), true, 'Produce to Kafka. Without it another sink must be on.'),
      brokers: requiredKey(list(address()), 'Brokers to ask first, host:port.'),
      clientId: key(text(), 'tickline-ingestor', 'The name by which brokers know this program.'),
      topicPrefix: key(topicPrefix(), DEFAULT_TOPIC_PREFIX, 'Put before every topic name.'),
      queueBytes: key(
        bytes(MIB),
        128 * MIB,
        'Most that waits in memory for the brokers. When it is full, quotes conflate, and sockets pause for at most maxPauseMs.',
      ),
      batchBytes: key(
        bytes(1024, 16 * MIB),
        512 * 1024,
        'Most in one record batch of a partition; not above topics.maxMessageBytes.',
      ),
      lingerMs: key(milliseconds(0, 60_000), 5, 'Longest that a record waits for others of its batch.'),
      compression: key(oneOf(['none', 'zstd']), 'none', 'Compression of the record batches.'),
      requestTimeoutMs: key(milliseconds(100, 600_000), 30_000, 'How long a broker may take to answer.'),
      ssl: {
        enabled: key(boolean(), false, 'TLS to the brokers; certificates are always verified.'),
        caFile: pathKey(orNull(path()), null, 'Certificates to trust, PEM; not set: those of the system.'),
        certFile: pathKey(orNull(path()), null, 'Our own certificate, PEM, where brokers ask for one.'),
        keyFile: pathKey(orNull(path()), null, 'The key of our own certificate, PEM.'),
        keyPassphrase: secretKey(
          orNull(secret()),
          null,
          'Passphrase of an encrypted key, by the environment; better by kafka.ssl.keyPassphraseFile.',
        ),
        keyPassphraseFile: pathKey(
          orNull(path()),
          null,
          'File that holds the passphrase of an encrypted key. All files of kafka.ssl and kafka.sasl are read again for each new connection.',
        ),
      },
      sasl: {
        mechanism: key(
          oneOf(['', 'plain', 'scram-sha-256', 'scram-sha-512']),
          '',
          'How we log in to the brokers; empty: we do not.',
        ),
        username: key(orNull(text()), null, 'User name.'),
        usernameFile: pathKey(orNull(path()), null, 'File that holds the user name.'),
        password: secretKey(
          orNull(secret()),
          null,
          'Password, by the environment; better by kafka.sasl.passwordFile.',
        ),
        passwordFile: pathKey(orNull(path()), null, 'File that holds the password.'),
      },
    },
    redis: redisKeys(),
    grpc: {
      enabled: key(boolean(), false, 'Serve ticks to gRPC clients; docs/grpc.md describes the service.'),
      host: key(text(), '127.0.0.1', 'Address of the gRPC server; 0.0.0.0 in a pod.'),
      port: key(integer(0, 65_535), 9090, 'Its port; 0: any free one, written to the log.'),
      peerAddress: key(
        orNull(text()),
        null,
        'Where clients reach the gRPC server of each shard, so that every pod can name the owner of every symbol: a template such as `tickline-{shard}.tickline:9090`, or addresses with commas between, in the order of the shards. Not set: only the own address is known, grpc.host and port.',
      ),
      queueBytes: key(
        bytes(MIB),
        64 * MIB,
        'Most that waits in memory for all gRPC clients together; when it is full, the stream of the client with the most waiting ends.',
      ),
      clientQueueBytes: key(
        bytes(256 * 1024),
        16 * MIB,
        'Most that waits for one client: then its stream ends with RESOURCE_EXHAUSTED.',
      ),
      maxClients: key(integer(1, 100_000), 256, 'Most Subscribe calls at a time.'),
      maxSubscriptions: key(
        integer(1, 10_000_000),
        20_000,
        'Most pairs of symbol and channel in one Subscribe call.',
      ),
      maxConnections: key(
        integer(1, 100_000),
        512,
        'Most connections; when one more comes, the one that was idle for longest is closed.',
      ),
      maxRequestBytes: key(bytes(1024, 64 * MIB), MIB, 'Largest request that is read.'),
      keepaliveMs: key(
        milliseconds(1000, 3_600_000),
        30_000,
        'How often a connection is pinged on which nothing else shows that its client lives.',
      ),
      keepaliveTimeoutMs: key(
        milliseconds(100, 600_000),
        10_000,
        'A connection whose client does not answer a ping for so long is closed.',
      ),
      maxIdleMs: key(
        milliseconds(1000, 86_400_000),
        300_000,
        'A connection without a call is closed after so long.',
      ),
      tokenFile: pathKey(
        orNull(path()),
        null,
        'File with the bearer tokens that clients may send, one on a line; read again when it changes. Not set: no token is needed.',
      ),
      tls: {
        enabled: key(boolean(), false, 'TLS to the clients.'),
        certFile: pathKey(orNull(path()), null, 'The certificate that clients see, PEM.'),
        keyFile: pathKey(orNull(path()), null, 'The key of the certificate, PEM.'),
        clientCaFile: pathKey(
          orNull(path()),
          null,
          'Certificates that sign those of clients, PEM: a client must then have one. Not set: none is asked for.',
        ),
      },
    },
    topics: {
      partitions: key(
        integer(1, 10_000),
        12,
        'Partitions of each topic; fixed for life, because the symbol decides the partition.',
      ),
      replication: key(
        orNull(integer(1, 32_767)),
        null,
        'Copies of each partition; not set: 3, or as many as there are brokers.',
      ),
      minInsyncReplicas: key(
        orNull(integer(1, 32_767)),
        null,
        'Copies that must have a record before it is acknowledged; not set: one less than the copies, at most 2.',
      ),
      maxMessageBytes: key(
        bytes(64 * 1024, 1024 * MIB),
        MIB,
        'max.message.bytes of the topics: the largest record batch that they take.',
      ),
      retention: {
        trades: retentionKeys('trades', 7 * DAY, 8 * 1024 * MIB),
        quotes: retentionKeys('quotes', 2 * DAY, 8 * 1024 * MIB),
        status: retentionKeys('status', 30 * DAY, 1024 * MIB),
        invalid: retentionKeys('invalid', 7 * DAY, 256 * MIB),
      },
    },
    registry: {
      url: requiredKey(url('http', 'https'), 'Base address of the schema registry (Confluent API).'),
      username: key(orNull(text()), null, 'User name, where the registry asks for one.'),
      usernameFile: pathKey(orNull(path()), null, 'File that holds the user name.'),
      password: secretKey(
        orNull(secret()),
        null,
        'Password, by the environment; better by registry.passwordFile.',
      ),
      passwordFile: pathKey(orNull(path()), null, 'File that holds the password.'),
      caFile: pathKey(orNull(path()), null, 'Certificates to trust, PEM; not set: those of the system.'),
      timeoutMs: key(milliseconds(100, 600_000), 10_000, 'How long the registry may take to answer.'),
    },
    status: {
      host: key(
        text(),
        '127.0.0.1',
        'Address of the status server, which the sidecar asks; only this machine itself (loopback) is allowed.',
      ),
      port: key(integer(0, 65_535), 9465, 'Its port; 0: any free one, written to the log.'),
    },
    metrics: {
      host: key(text(), '127.0.0.1', 'Address that Prometheus scrapes; 0.0.0.0 in a pod.'),
      port: key(integer(0, 65_535), 9464, 'Its port; 0: any free one, written to the log.'),
    },
    log: {
      level: key(oneOf(['error', 'warn', 'info', 'debug']), 'info', 'The least that is logged.'),
    },
    strict: key(
      boolean(),
      false,
      'Refuse to start when an exchange does not list one of the symbols; otherwise that one is rejected and reported.',
    ),
    limitsSharedBy: key(
      orNull(integer(1, 100_000)),
      null,
      "How many pods share one public address: each takes this part of the exchanges' limits per address. Not set: all shards.",
    ),
    drainBudgetMs: key(
      milliseconds(0, 3_600_000),
      20_000,
      'Longest that SIGTERM waits until all is acknowledged; below the grace period of the pod.',
    ),
    drainReportMs: key(
      milliseconds(0, 600_000),
      0,
      'After a drain that left something unacknowledged: longest that the metrics stay up so that one more scrape tells it. Longer than the scrape interval; with drainBudgetMs below the grace period of the pod.',
    ),
    maxPauseMs: key(
      milliseconds(0, 20_000),
      5000,
      'Longest that sockets are paused when the queue is full; then ticks are shed and a gap is recorded.',
    ),
    invalidPerSecond: key(
      integer(0, 100_000),
      10,
      'Most frames a second and exchange that go to the topic invalid; all of them are counted.',
    ),
    plaintextHosts: key(
      list(text()),
      [],
      'Hosts besides this machine that may be reached by ws:// and http://, or that may get a password unencrypted (SASL plain): those of a private network.',
    ),
  };
}

function retentionKeys(topic: string, ms: number, size: number) {
  return {
    ms: key(orNone(milliseconds(60_000)), ms, `How long records of ${topic} are kept.`),
    bytes: key(orNone(bytes(MIB)), size, `How much of ${topic} is kept in each partition.`),
  };
}

function limit(documented: number | undefined): Format<number> {
  return documented !== undefined && Number.isFinite(documented)
    ? integer(1, documented)
    : orNone(integer(1));
}

/** A rate need not be whole: one connection in six seconds is 10 a minute, one in two minutes 0.5. */
function rate(documented: number | undefined): Format<number> {
  const number = positive();
  if (documented === undefined || !Number.isFinite(documented)) return orNone(number);
  return {
    ...number,
    type: `number above 0, at most ${documented}`,
    read(value) {
      const read = number.read(value);
      return typeof read === 'number' && read > documented
        ? { problem: `must be at most ${documented}, is ${read}`, nearest: String(documented) }
        : read;
    },
  };
}

function exchangeKeys(exchange: ExchangeDefaults) {
  const { limits, documentedLimits: documented } = exchange;
  const limitKey = (format: Format<number>, name: keyof FeedLimits, doc: string): Key<number> =>
    key(format, limits[name], doc);
  return {
    symbols: key(
      list(plainSymbol()),
      [] as readonly string[],
      'Canonical symbols; `*` is all that the exchange trades, `*-USDT` all with that end.',
    ),
    symbolsFile: pathKey(
      orNull(path()),
      null,
      'File with more symbols, one on a line (`#` begins a comment), or a JSON list.',
    ),
    channels: key(
      list(oneOf(TICK_CHANNELS)),
      exchange.channels as readonly TickChannel[],
      'What is subscribed for each symbol.',
    ),
    endpoints: {
      websocket: key(
        url('ws', 'wss'),
        exchange.endpoints.websocket,
        'Base address of the market data socket.',
      ),
      rest: key(url('http', 'https'), exchange.endpoints.rest, 'Base address of the REST interface.'),
    },
    limits: {
      topicsPerConnection: limitKey(
        limit(documented.topicsPerConnection),
        'topicsPerConnection',
        'Subscriptions on one connection.',
      ),
      topicCharactersPerConnection: limitKey(
        limit(documented.topicCharactersPerConnection),
        'topicCharactersPerConnection',
        'Characters of all topic names on one connection.',
      ),
      topicsPerRequest: limitKey(
        limit(documented.topicsPerRequest),
        'topicsPerRequest',
        'Topics in one subscribe request.',
      ),
      requestBytes: limitKey(limit(documented.requestBytes), 'requestBytes', 'Bytes of one request.'),
      messagesPerSecond: limitKey(
        rate(documented.messagesPerSecond),
        'messagesPerSecond',
        'Messages that we send on one connection, sustained.',
      ),
      messageBurst: limitKey(limit(documented.messageBurst), 'messageBurst', 'Messages sent at once.'),
      messagesPerHour: limitKey(
        limit(documented.messagesPerHour),
        'messagesPerHour',
        'Messages that we send on one connection in an hour.',
      ),
      connectBurst: limitKey(
        limit(documented.connectBurst),
        'connectBurst',
        'Connections opened at once from one address.',
      ),
      connectsPerMinute: limitKey(
        rate(documented.connectsPerMinute),
        'connectsPerMinute',
        'Connections opened from one address, sustained.',
      ),
      connections: limitKey(limit(documented.connections), 'connections', 'Open connections of one address.'),
      frameBytes: limitKey(bytes(1024, 1024 * MIB), 'frameBytes', 'Largest frame that is accepted.'),
      sessionLifetimeMs: limitKey(
        documented.sessionLifetimeMs !== undefined && Number.isFinite(documented.sessionLifetimeMs)
          ? milliseconds(1000, documented.sessionLifetimeMs)
          : orNone(milliseconds(1000)),
        'sessionLifetimeMs',
        'Age at which a session is replaced.',
      ),
    },
    heartbeat: {
      timeoutMs: key(
        milliseconds(100, 3_600_000),
        30_000,
        'A connection on which nothing arrives for so long is replaced.',
      ),
      checkEveryMs: key(milliseconds(10, 600_000), 5000, 'How often that is checked.'),
      pingAfterMs: key(milliseconds(10, 3_600_000), exchange.heartbeat.pingAfterMs, 'When we send a ping.'),
    },
    dataSilenceMs: {
      trades: key(
        orNone(milliseconds(100)),
        Number.POSITIVE_INFINITY,
        'A trades subscription that delivers nothing for so long is stale; none: quiet symbols may be silent.',
      ),
      quotes: key(
        orNone(milliseconds(100)),
        300_000,
        'A quotes subscription that delivers nothing for so long is stale.',
      ),
    },
    ackTimeoutMs: key(
      milliseconds(10, 600_000),
      10_000,
      'How long the exchange may take to acknowledge a subscription.',
    ),
    listingTimeoutMs: key(
      milliseconds(10, 600_000),
      10_000,
      'How long the exchange may take to answer with its listing.',
    ),
    backoff: {
      firstMs: key(
        milliseconds(1, 600_000),
        500,
        'Wait before the first reconnect; jittered, doubled each time.',
      ),
      maxMs: key(milliseconds(1, 3_600_000), 30_000, 'Longest wait; it never gives up.'),
      stableMs: key(
        milliseconds(1, 3_600_000),
        60_000,
        'Data must have flowed for so long before the wait begins at the first again.',
      ),
    },
    permessageDeflate: key(boolean(), false, 'Ask for compressed frames: less traffic, much more CPU.'),
  };
}

export type Keys = ReturnType<typeof configurationKeys>;
export type ExchangeKeys = ReturnType<typeof exchangeKeys>;
