import { KeyTemplate } from '../sinks/redis/key-template.ts';
import { address } from './domain-formats.ts';
import {
  boolean,
  bytes,
  type Format,
  integer,
  list,
  milliseconds,
  misfit,
  oneOf,
  orNone,
  orNull,
  path,
  secret,
  text,
} from './format.ts';
import { key, pathKey, secretKey } from './key.ts';

const MIB = 1024 * 1024;

/** Settings of the two Redis sinks: one server, what goes into Streams, what is published. */
export function redisKeys() {
  return {
    mode: key(
      oneOf(['single', 'sentinel', 'cluster']),
      'single',
      'What redis.addresses are: one server, sentinels that name the master, or nodes of a Cluster.',
    ),
    addresses: key(
      list(address()),
      [] as readonly string[],
      'host:port of the Redis server (one), of sentinels, or of some nodes of the Cluster.',
    ),
    sentinel: {
      master: key(orNull(text()), null, 'The name by which sentinels know the master.'),
      username: key(orNull(text()), null, 'User name for the sentinels themselves.'),
      password: secretKey(
        orNull(secret()),
        null,
        'Password for the sentinels themselves, by the environment; better by redis.sentinel.passwordFile.',
      ),
      passwordFile: pathKey(orNull(path()), null, 'File that holds the password for the sentinels.'),
    },
    database: key(integer(0, 65_535), 0, 'Number of the database; a Cluster has only 0.'),
    clientName: key(text(), 'tickline-ingestor', 'The name by which CLIENT LIST shows our connections.'),
    username: key(orNull(text()), null, 'ACL user; not set: the default user.'),
    password: secretKey(
      orNull(secret()),
      null,
      'Password, by the environment; better by redis.passwordFile.',
    ),
    passwordFile: pathKey(orNull(path()), null, 'File that holds the password.'),
    tls: {
      enabled: key(boolean(), false, 'TLS to Redis (and its sentinels); certificates are always verified.'),
      caFile: pathKey(orNull(path()), null, 'Certificates to trust, PEM; not set: those of the system.'),
      certFile: pathKey(orNull(path()), null, 'Our own certificate, PEM, where Redis asks for one.'),
      keyFile: pathKey(orNull(path()), null, 'The key of our own certificate, PEM.'),
    },
    connectTimeoutMs: key(milliseconds(100, 600_000), 10_000, 'How long a connection may take to open.'),
    requestTimeoutMs: key(
      milliseconds(100, 600_000),
      10_000,
      'How long Redis may take to answer; then the connection is opened anew. Streams send the batch again, which Redis recognizes; Pub/Sub drops it.',
    ),
    streams: {
      enabled: key(boolean(), false, 'Append ticks to Redis Streams.'),
      format: key(
        oneOf(['json', 'avro']),
        'json',
        "Encoding of the tick, an entry's field `v`; avro is as in Kafka. `s` is its symbol, `n` its sequence.",
      ),
      key: key(
        template(),
        'md:{topic}:{exchange}',
        'Name of a stream, with the places {topic}, {exchange} and, for a stream of each symbol, {symbol}. Braces of the name itself are doubled: {{{exchange}}} is a hash tag.',
      ),
      maxLength: key(
        orNone(integer(1)),
        1_000_000,
        'Entries that a stream keeps, about (MAXLEN ~); what is older goes.',
      ),
      maxAgeMs: key(
        orNone(milliseconds(1000)),
        Number.POSITIVE_INFINITY,
        'How long a stream keeps its entries, about (MINID ~), by the clock of Redis.',
      ),
      queueBytes: key(
        bytes(MIB),
        64 * MIB,
        'Most that waits in memory for Redis. When it is half full, quotes conflate; when it is full, ticks are shed and a gap is recorded. No other output is affected.',
      ),
      batchBytes: key(
        bytes(4096, 16 * MIB),
        128 * 1024,
        'Most in one script call, which blocks Redis while it runs.',
      ),
      lingerMs: key(milliseconds(0, 60_000), 1, 'Longest that a tick waits for others of its batch.'),
    },
    pubsub: {
      enabled: key(boolean(), false, 'Publish ticks to Redis channels.'),
      format: key(oneOf(['json', 'avro']), 'json', 'Encoding of the messages; avro is as in Kafka.'),
      channel: key(
        template(),
        'md:{topic}:{exchange}:{symbol}',
        'Name of a channel, with the places {topic}, {exchange} and {symbol}. Braces of the name itself are doubled.',
      ),
      queueBytes: key(
        bytes(256 * 1024),
        16 * MIB,
        'Most that waits in memory for a slow Redis; what is above is dropped and counted.',
      ),
      batchBytes: key(
        bytes(4096, 16 * MIB),
        64 * 1024,
        'Most in one script call, which blocks Redis while it runs.',
      ),
      lingerMs: key(milliseconds(0, 60_000), 0, 'Longest that a tick waits for others of its batch.'),
    },
  };
}

function template(): Format<string> {
  const plain = text('name with the places {topic}, {exchange}, {symbol}');
  return {
    ...plain,
    read(value) {
      const read = plain.read(value);
      if (typeof read !== 'string') return read;
      try {
        return new KeyTemplate(read).text;
      } catch (error) {
        return misfit(error instanceof Error ? error.message : String(error));
      }
    },
  };
}
