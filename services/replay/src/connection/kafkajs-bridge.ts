import type { Socket } from 'node:net';
import { parseAddress } from './address.ts';
import { ConnectionError, wordsOf } from './connection-error.ts';
import type { KafkaSettings } from './connection-settings.ts';
import { sendFetch } from './kafkajs-fetch.ts';
import {
  type Broker,
  type Connection,
  expectBroker,
  type Kafkajs,
  KafkajsShapeError,
  loadKafkajs,
  NEEDED,
  type Protocol,
  type SocketFactory,
} from './kafkajs-inside.ts';

/** For TCP, TLS and login together. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How much later than kafkajs' own timeout is: kafkajs' error says more. */
const LATER_THAN_KAFKAJS_MS = 1_000;
/** Errors of logins: SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE. */
const LOGIN_ERRORS: ReadonlySet<unknown> = new Set([58, 33, 34]);
const TOPIC_RESOURCE = 2;

/** What Metadata version 6 answers, as kafkajs decodes it. */
export interface MetadataAnswer {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topicMetadata: readonly {
    topicErrorCode: number;
    topic: string;
    isInternal: boolean;
    partitionMetadata: readonly {
      partitionErrorCode: number;
      partitionId: number;
      leader: number;
      replicas: readonly number[];
      isr: readonly number[];
    }[];
  }[];
}

/** What ListOffsets version 3 answers, as kafkajs decodes it; offset and timestamp are -1 where there is none. */
export interface ListOffsetsAnswer {
  readonly responses: readonly {
    topic: string;
    partitions: readonly { partition: number; errorCode: number; timestamp: string; offset: string }[];
  }[];
}

/** A broker and the sockets that kafkajs opened for it. */
interface Peer {
  readonly broker: Broker;
  readonly sockets: Set<Socket>;
}

/**
 * The command's way through kafkajs: connections, TLS, login, API versions and the small requests are kafkajs',
 * only the Fetch request and its answer are ours. What it relies on of kafkajs' insides is in kafkajs-inside.ts.
 *
 * Whatever goes wrong with a connection, the broker's object is thrown away with its sockets, and the next call
 * makes a new one. All that goes wrong is a ConnectionError which names the setting.
 */
export class KafkajsBridge {
  private readonly settings: KafkaSettings;
  private readonly kafkajs: Kafkajs;
  private readonly logger: unknown;
  /** By address; metadata say which node has which. */
  private readonly peers = new Map<string, Promise<Peer>>();
  private addresses: ReadonlyMap<number, string> = new Map();
  private closed = false;

  constructor(settings: KafkaSettings) {
    this.settings = settings;
    this.kafkajs = loadKafkajs();
    // kafkajs logs each attempt that fails; errors reach people through us.
    this.logger = this.kafkajs.createLogger({ level: 0, logCreator: () => () => undefined });
  }

  /** Brokers, and these topics, or all topics for an empty list; errors are in the answer. */
  async metadata(topics: readonly string[]): Promise<MetadataAnswer> {
    const answer = (await this.withAnyBroker((broker) =>
      ask(broker, this.kafkajs.metadata({ topics: [...topics], allowAutoTopicCreation: false })),
    )) as MetadataAnswer;
    this.addresses = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
    return answer;
  }

  /**
   * Of partitions that this broker leads: the first offset at a timestamp or later; -2 asks for the first offset
   * there is, -1 for the one that will be written next.
   */
  async listOffsets(
    nodeId: number,
    topic: string,
    partitions: readonly { partition: number; timestamp: number }[],
  ): Promise<ListOffsetsAnswer> {
    const address = this.addressOf(nodeId);
    const topics = [{ topic, partitions }];
    return (await this.withBroker(address, (broker) =>
      ask(broker, this.kafkajs.listOffsets({ replicaId: -1, isolationLevel: 0, topics })),
    )) as ListOffsetsAnswer;
  }

  /** The settings of topics by name; a topic that may not be described is left out. */
  async topicSettings(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const resources = topics.map((name) => ({ type: TOPIC_RESOURCE, name }));
    const answer = (await this.withAnyBroker((broker) =>
      ask(broker, this.kafkajs.describeConfigs({ resources, includeSynonyms: false })),
    )) as {
      resources: readonly {
        errorCode: number;
        resourceName: string;
        configEntries: readonly { configName: string; configValue: string | null }[];
      }[];
    };
    return new Map(
      answer.resources
        .filter(({ errorCode }) => errorCode === 0)
        .map(({ resourceName, configEntries }) => [
          resourceName,
          new Map(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ''])),
        ]),
    );
  }

  /** Sends a Fetch request's body (version 11) and resolves with the answer's body, in memory of its own. */
  async fetch(nodeId: number, body: Buffer, maxWaitMs: number): Promise<Buffer> {
    const address = this.addressOf(nodeId);
    return this.withBroker(
      address,
      async (broker) => sendFetch(await broker.connectionPool.getConnection(), body),
      maxWaitMs,
    );
  }

  /** Connects to one address of the settings and logs in: what `doctor` tries for each. */
  async tryAddress(address: string): Promise<void> {
    await this.withBroker(address, async () => undefined);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.peers.keys()].map((address) => this.drop(address)));
  }

  private addressOf(nodeId: number): string {
    const address = this.addresses.get(nodeId);
    if (address !== undefined) return address;
    throw new ConnectionError(`broker ${nodeId} is not in the cluster (kafka.brokers)`, 'kafka.brokers');
  }

  /** Asks one broker after the other, known ones before those of the settings, until one answers. */
  private async withAnyBroker<T>(ask: (broker: Broker) => Promise<T>): Promise<T> {
    const failures: ConnectionError[] = [];
    for (const address of new Set([...this.addresses.values(), ...this.settings.brokers])) {
      try {
        return await this.withBroker(address, ask);
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        // A wrong password is told at once, not hidden behind the next broker's silence.
        if (error.setting !== 'kafka.brokers') throw error;
        failures.push(error);
      }
    }
    throw failures[0] ?? new ConnectionError('kafka.brokers is empty', 'kafka.brokers');
  }

  private async withBroker<T>(
    address: string,
    ask: (broker: Broker) => Promise<T>,
    maxWaitMs = 0,
  ): Promise<T> {
    try {
      const { broker } = await this.connected(address);
      return await inTime(ask(broker), this.settings.requestTimeoutMs + maxWaitMs + LATER_THAN_KAFKAJS_MS);
    } catch (error) {
      if (error instanceof KafkajsShapeError) throw error;
      await this.drop(address);
      throw this.connectionError(address, error);
    }
  }

  private async connected(address: string): Promise<Peer> {
    if (this.closed) throw new Error('the connection is closed');
    let opening = this.peers.get(address);
    if (opening === undefined) {
      opening = this.build(address);
      this.peers.set(address, opening);
    }
    const peer = await opening;
    // With SASL this also logs in again before the session runs out (KIP-368).
    if (!peer.broker.isConnected()) await this.connect(peer, address);
    return peer;
  }

  private async build(address: string): Promise<Peer> {
    const { settings, kafkajs } = this;
    const { host, port } = parseAddress(address);
    const sockets = new Set<Socket>();
    const socketFactory: SocketFactory = (where) => {
      const socket = kafkajs.socketFactory(where);
      socket.setNoDelay(true);
      sockets.add(socket);
      // kafkajs listens to `end` and `error` only.
      socket.once('close', () => {
        sockets.delete(socket);
        for (const connection of pool) if (connection.socket === socket) closeNow(connection);
      });
      return socket;
    };
    let pool: readonly Connection[] = [];
    const connectionPool = await kafkajs
      .buildConnectionPools({
        socketFactory,
        brokers: settings.brokers,
        ssl: settings.tls === null ? undefined : tlsOptions(settings.tls),
        sasl: settings.sasl === null ? undefined : { ...settings.sasl },
        clientId: settings.clientId,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: settings.requestTimeoutMs,
        enforceRequestTimeout: true,
        maxInFlightRequests: null,
        logger: this.logger,
      })
      .build({ host, port });
    const broker = new kafkajs.Broker({
      connectionPool,
      logger: this.logger,
      authenticationTimeout: CONNECT_TIMEOUT_MS,
      allowAutoTopicCreation: false,
    });
    expectBroker(broker, connectionPool);
    pool = connectionPool.pool;
    return { broker, sockets };
  }

  /** kafkajs forgets its promise when the other side ends the connection during TLS or login: watch that. */
  private async connect(peer: Peer, address: string): Promise<void> {
    let stop = () => {};
    const lost = new Promise<never>((_, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
        CONNECT_TIMEOUT_MS,
      );
      const watch = setInterval(() => {
        if (peer.sockets.size === 0) reject(new Error('the connection was closed while it was set up'));
      }, 100);
      stop = () => {
        clearTimeout(timer);
        clearInterval(watch);
      };
    });
    try {
      await Promise.race([peer.broker.connect(), lost]);
    } finally {
      stop();
    }
    for (const { apiKey, apiVersion, apiName } of NEEDED) {
      const spoken = peer.broker.versions?.[apiKey];
      if (spoken === undefined || spoken.minVersion > apiVersion || spoken.maxVersion < apiVersion) {
        throw new Error(
          `${address} does not speak ${apiName} version ${apiVersion}: Kafka 2.3 or later is needed`,
        );
      }
    }
  }

  /** Ends a broker's connections now; what waits for an answer is rejected. */
  private async drop(address: string): Promise<void> {
    const opening = this.peers.get(address);
    if (opening === undefined) return;
    this.peers.delete(address);
    const { broker, sockets } = await opening;
    for (const socket of sockets) socket.destroy();
    for (const connection of broker.connectionPool.pool) closeNow(connection);
  }

  private connectionError(address: string, error: unknown): ConnectionError {
    if (error instanceof ConnectionError) return error;
    const words = wordsOf(error);
    const { name, code } = error as { name?: unknown; code?: unknown };
    if (name === 'KafkaJSSASLAuthenticationError' || LOGIN_ERRORS.has(code)) {
      const setting = 'kafka.sasl';
      return new ConnectionError(`${address} refuses the login (${setting}): ${words}`, setting, error);
    }
    // Node's codes for a certificate that was refused, by us or by them.
    if (this.settings.tls !== null && typeof code === 'string' && /CERT|_SSL_|UNABLE_TO_/.test(code)) {
      const setting = 'kafka.ssl';
      return new ConnectionError(`no TLS with ${address} (${setting}): ${words}`, setting, error);
    }
    const hint =
      this.settings.tls === null && /closed/i.test(words)
        ? '; does the broker want TLS (kafka.ssl.enabled) or a login (kafka.sasl)?'
        : '';
    const setting = 'kafka.brokers';
    return new ConnectionError(
      `the broker ${address} (${setting}) can't be reached: ${words}${hint}`,
      setting,
      error,
    );
  }
}

function tlsOptions({
  ca,
  cert,
  key,
  passphrase,
}: NonNullable<KafkaSettings['tls']>): Record<string, unknown> {
  return {
    rejectUnauthorized: true,
    ...(ca === null ? {} : { ca: [ca] }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(passphrase === null ? {} : { passphrase }),
  };
}

/** kafkajs' own `parse` throws the first error of any partition; we want them all. */
function ask(broker: Broker, { request, response }: ReturnType<Protocol>): Promise<unknown> {
  return broker.connectionPool.send({
    request,
    response: { decode: response.decode, parse: async (data) => data },
  });
}

/** kafkajs measures its timeouts by the wall clock, which may be set back; this one does not. */
async function inTime<T>(answer: Promise<T>, limitMs: number): Promise<T> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    cancel = () => clearTimeout(timer);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}

/** Rejects what waits for an answer and has kafkajs forget the socket. */
function closeNow(connection: Connection): void {
  connection.rejectRequests(new Error('the connection was closed'));
  // Rejects nothing: with no request waiting it only sets kafkajs' own state.
  void connection.disconnect();
}
