import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { KafkaAccess } from './access.ts';
import { BridgeError, type ClusterMetadata, type KafkaBridge } from './bridge.ts';
import { refusalOf } from './connection-refusal.ts';
import { probeListener } from './listener-probe.ts';
import {
  decodeMetadata,
  encodeMetadata,
  METADATA_KEY,
  METADATA_LOWEST,
  METADATA_WITH_RIGHTS,
} from './metadata-request.ts';
import type { ResolvedKafkaOptions } from './options.ts';
import type { ProduceBody } from './produce-request.ts';
import type { ProducerIdentity } from './record-batch.ts';

/** The one version whose insides were read for this file; the package is pinned to it. */
const KAFKAJS_VERSION = '2.2.4';
const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' } as const;
/** For TCP, TLS and login together. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How much later than kafkajs' our own timeout is: kafkajs' error says more. */
const LATER_THAN_KAFKAJS_MS = 1_000;
/** UNSUPPORTED_SASL_MECHANISM: which ones there are, the listener says when it is asked. */
const UNSUPPORTED_MECHANISM = 33;

// What is used of kafkajs' insides, and nothing more.

interface Connection {
  readonly clientId: string;
  readonly socket?: Socket;
  readonly requestQueue: {
    push(request: {
      entry: {
        apiKey: number;
        apiVersion: number;
        apiName: string;
        correlationId: number;
        resolve: (answer: { payload: Buffer }) => void;
        reject: (error: Error) => void;
      };
      expectResponse: boolean;
      requestTimeout: number | null;
      sendRequest: () => void;
    }): void;
    maybeThrottle(ms: number): void;
  };
  nextCorrelationId(): number;
  isConnected(): boolean;
  disconnect(): Promise<unknown>;
  rejectRequests(error: Error): void;
}

interface ConnectionPool {
  readonly pool: Connection[];
  getConnection(): Promise<Connection>;
  send(request: {
    request: unknown;
    response: { decode: Decode; parse: (data: unknown) => Promise<unknown> };
  }): Promise<unknown>;
}

type Decode = (data: Buffer) => Promise<unknown>;

interface Broker {
  readonly connectionPool: ConnectionPool;
  readonly versions: Record<number, { minVersion: number; maxVersion: number }> | null;
  connect(): Promise<void>;
  isConnected(): boolean;
  initProducerId(request: { transactionalId?: string; transactionTimeout: number }): Promise<{
    producerId: string;
    producerEpoch: number;
  }>;
}

type SocketFactory = (where: { host: string; port: number; ssl: unknown; onConnect: () => void }) => Socket;

interface Kafkajs {
  readonly Broker: new (options: Record<string, unknown>) => Broker;
  readonly buildConnectionPools: (options: Record<string, unknown>) => {
    build(where: { host: string; port: number }): Promise<ConnectionPool>;
  };
  readonly socketFactory: SocketFactory;
  readonly createLogger: (options: { level: number; logCreator: () => (entry: LogEntry) => void }) => unknown;
  readonly Encoder: new () => { writeBuffer(bytes: Buffer): unknown };
}

interface LogEntry {
  readonly namespace: string;
  readonly label: string;
  readonly log: { readonly message: string; readonly broker?: string; readonly error?: string };
}

/** A broker and the sockets that kafkajs opened for it. */
interface Peer {
  readonly broker: Broker;
  readonly sockets: Set<Socket>;
  /** How long the last answer asked us to wait, milliseconds: the next request may lie so long in kafkajs' queue. */
  throttleMs: number;
}

/**
 * The sink's way through kafkajs: connections, TLS, login, API versions and metadata are kafkajs', only the
 * Produce request is ours. The one file that knows kafkajs' insides; it checks them when it is built.
 *
 * Whatever goes wrong with a connection, the broker's object is thrown away with its sockets, and the next
 * call makes a new one: no state of kafkajs' outlives an error, and no socket refers to a batch any more
 * when `produce` has rejected.
 */
export class KafkajsBridge implements KafkaBridge {
  private readonly options: ResolvedKafkaOptions;
  private readonly kafkajs: Kafkajs;
  private readonly logger: unknown;
  /** By address; metadata say which node has which. */
  private readonly peers = new Map<string, Promise<Peer>>();
  private addresses: ReadonlyMap<number, string> = new Map();
  private turn = 0;
  private closed = false;

  constructor(options: ResolvedKafkaOptions) {
    this.options = options;
    this.kafkajs = loadKafkajs();
    this.logger = this.kafkajs.createLogger({
      level: 5,
      logCreator: () => (entry) => this.forward(entry),
    });
  }

  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const answer = await this.withAnyBroker(async (broker) => {
      const highest = broker.versions?.[METADATA_KEY]?.maxVersion ?? 0;
      const apiVersion = highest >= METADATA_WITH_RIGHTS ? METADATA_WITH_RIGHTS : METADATA_LOWEST;
      const body = new this.kafkajs.Encoder().writeBuffer(encodeMetadata(topics, apiVersion));
      return (await broker.connectionPool.send({
        request: { apiKey: METADATA_KEY, apiVersion, apiName: 'Metadata', encode: async () => body },
        response: {
          decode: async (data) => decodeMetadata(data, apiVersion),
          parse: async (data) => data,
        },
      })) as ClusterMetadata;
    });
    this.addresses = answer.brokers;
    const known = new Set([...this.addresses.values(), ...this.options.brokers]);
    for (const address of this.peers.keys()) if (!known.has(address)) await this.drop(address);
    return answer;
  }

  async initProducerId(): Promise<ProducerIdentity> {
    const { producerId, producerEpoch } = await this.withAnyBroker((broker) =>
      broker.initProducerId({ transactionTimeout: 30_000 }),
    );
    return { producerId: BigInt(producerId), producerEpoch };
  }

  async produce(nodeId: number, body: ProduceBody): Promise<Buffer> {
    const address = this.addresses.get(nodeId);
    if (address === undefined)
      throw new BridgeError(`broker ${nodeId} is not in the cluster`, { sent: false });
    let peer: Peer;
    let connection: Connection;
    try {
      peer = await this.connected(address);
      connection = await peer.broker.connectionPool.getConnection();
    } catch (error) {
      await this.drop(address);
      throw await this.bridgeError(address, error, false);
    }
    try {
      const answer = await this.inTime(send(connection, body), peer.throttleMs);
      peer.throttleMs = throttleOf(answer);
      return answer;
    } catch (error) {
      await this.drop(address);
      throw await this.bridgeError(address, error, true);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.peers.keys()].map((address) => this.drop(address)));
  }

  /** Asks one broker after the other, known ones before those of the settings, until one answers. */
  private async withAnyBroker<T>(ask: (broker: Broker) => Promise<T>): Promise<T> {
    const known = [...this.addresses.values()];
    const start = known.length === 0 ? 0 : this.turn++ % known.length;
    const addresses = new Set([...known.slice(start), ...known.slice(0, start), ...this.options.brokers]);
    let last: BridgeError | null = null;
    for (const address of addresses) {
      try {
        const { broker } = await this.connected(address);
        return await this.inTime(ask(broker), 0);
      } catch (error) {
        // An error that the broker answered with says nothing against the connection.
        if (!isAnswer(error)) await this.drop(address);
        const failure = await this.bridgeError(address, error, true);
        // A wrong password is told at once, not hidden behind the next broker's silence.
        if (failure.setting !== null) throw failure;
        last ??= failure;
      }
    }
    throw last ?? new BridgeError('kafka.brokers is empty', { sent: false });
  }

  /** kafkajs measures its timeouts by the wall clock, which may be set back; this one does not. */
  private async inTime<T>(answer: Promise<T>, throttleMs: number): Promise<T> {
    const limitMs = this.options.requestTimeoutMs + throttleMs + LATER_THAN_KAFKAJS_MS;
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

  private async connected(address: string): Promise<Peer> {
    if (this.closed) throw new BridgeError('the sink is closed', { sent: false });
    let opening = this.peers.get(address);
    if (opening === undefined) {
      opening = this.build(address);
      this.peers.set(address, opening);
      // Nothing to drop then.
      opening.catch(() => this.peers.delete(address));
    }
    const peer = await opening;
    // With SASL this also logs in again before the session runs out (KIP-368).
    if (!peer.broker.isConnected()) await this.connect(peer, address);
    return peer;
  }

  private async build(address: string): Promise<Peer> {
    const { options, kafkajs } = this;
    const { host, port } = parseAddress(address);
    const { ssl, sasl } = options.access();
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
        brokers: options.brokers,
        ssl: ssl ?? undefined,
        sasl: sasl === null ? undefined : { ...sasl },
        clientId: options.clientId,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: options.requestTimeoutMs,
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
    expectShape(typeof broker.connect === 'function', 'Broker.connect');
    expectShape(typeof broker.isConnected === 'function', 'Broker.isConnected');
    expectShape(typeof broker.initProducerId === 'function', 'Broker.initProducerId');
    expectShape(typeof connectionPool.getConnection === 'function', 'ConnectionPool.getConnection');
    expectShape(typeof connectionPool.send === 'function', 'ConnectionPool.send');
    for (const connection of connectionPool.pool) expectConnection(connection);
    pool = connectionPool.pool;
    return { broker, sockets, throttleMs: 0 };
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
        if (peer.sockets.size === 0) reject(new HungUpError('the connection was closed while it was set up'));
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
    const versions = peer.broker.versions;
    const produce = versions?.[PRODUCE.apiKey];
    if (
      produce === undefined ||
      produce.minVersion > PRODUCE.apiVersion ||
      produce.maxVersion < PRODUCE.apiVersion
    ) {
      throw new Error(
        `${address} does not speak Produce version ${PRODUCE.apiVersion}: Kafka 2.1 or later is needed`,
      );
    }
  }

  /** Ends a broker's connections now; what waits for an answer is rejected. */
  private async drop(address: string): Promise<void> {
    const opening = this.peers.get(address);
    if (opening === undefined) return;
    this.peers.delete(address);
    const peer = await opening.catch(() => null);
    if (peer === null) return;
    const { broker, sockets } = peer;
    // By an error: only then does kafkajs give up a connection that is being made, and the timer of that.
    for (const socket of sockets) socket.destroy(new Error('the connection was closed'));
    for (const connection of broker.connectionPool.pool) closeNow(connection);
  }

  private async bridgeError(address: string, error: unknown, sent: boolean): Promise<BridgeError> {
    if (error instanceof BridgeError) return error;
    if (error instanceof KafkajsShapeError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    let access: KafkaAccess;
    try {
      access = this.options.access();
    } catch {
      // The error itself says which file can't be read.
      return new BridgeError(`${address}: ${message}`, { sent, cause: error });
    }
    const refusal = refusalOf(error, address, access, await this.kindOf(address, error, access));
    return new BridgeError(refusal?.text ?? `${address}: ${message.trim()}`, {
      sent,
      setting: refusal?.setting ?? null,
      cause: error,
    });
  }

  /** Asks a listener that hangs up on us what it is, unless Kafka answered us before: then it is just away. */
  private async kindOf(address: string, error: unknown, access: KafkaAccess) {
    const { name, code } = error as { name?: unknown; code?: unknown };
    const hungUp =
      code === 'ECONNRESET' || name === 'KafkaJSConnectionClosedError' || error instanceof HungUpError;
    const isStrange = hungUp && this.addresses.size === 0 && !this.closed;
    if (!isStrange && code !== UNSUPPORTED_MECHANISM) return null;
    const { host, port } = parseAddress(address);
    return await probeListener(host, port, access.ssl);
  }

  /** kafkajs logs each attempt that fails; we tell changes ourselves. */
  private forward({ namespace, label, log }: LogEntry): void {
    if (label === 'DEBUG') return;
    this.options.log.debug('kafkajs', log.message, {
      sink: 'kafka',
      data: { namespace, level: label, broker: log.broker ?? null, error: log.error ?? null },
    });
  }
}

/** Rejects what waits for an answer and has kafkajs forget the socket. */
function closeNow(connection: Connection): void {
  connection.rejectRequests(new Error('the connection was closed'));
  // Rejects nothing: with no request waiting it only sets kafkajs' own state.
  void connection.disconnect();
}

/** Puts the request on kafkajs' queue, whose timeouts and throttling hold; its chunks go out uncopied. */
function send(connection: Connection, body: ProduceBody): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { socket } = connection;
    if (socket === undefined || !connection.isConnected()) {
      reject(new BridgeError('not connected', { sent: false }));
      return;
    }
    const correlationId = connection.nextCorrelationId();
    connection.requestQueue.push({
      entry: {
        ...PRODUCE,
        correlationId,
        resolve: ({ payload }) => {
          connection.requestQueue.maybeThrottle(throttleOf(payload));
          resolve(payload);
        },
        reject,
      },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => {
        socket.cork();
        socket.write(requestHeader(correlationId, connection.clientId, body.byteLength));
        for (const chunk of body.chunks) socket.write(chunk);
        socket.uncork();
      },
    });
  });
}

/** `throttle_time_ms` is the last field of a Produce answer (KIP-219). */
function throttleOf(answer: Buffer): number {
  return answer.readInt32BE(answer.length - 4);
}

/** Length and request header, version 1: `api_key api_version correlation_id client_id`. */
function requestHeader(correlationId: number, clientId: string, bodyBytes: number): Buffer {
  const id = Buffer.from(clientId);
  const header = Buffer.allocUnsafe(14 + id.length);
  header.writeInt32BE(10 + id.length + bodyBytes, 0);
  header.writeInt16BE(PRODUCE.apiKey, 4);
  header.writeInt16BE(PRODUCE.apiVersion, 6);
  header.writeInt32BE(correlationId, 8);
  header.writeInt16BE(id.length, 12);
  id.copy(header, 14);
  return header;
}

function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

/** True for an error code that the broker answered with, rather than a broken connection. */
function isAnswer(error: unknown): boolean {
  return (error as { name?: unknown }).name === 'KafkaJSProtocolError';
}

function loadKafkajs(): Kafkajs {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  expectShape(version === KAFKAJS_VERSION, `version ${KAFKAJS_VERSION} (it is ${version})`);
  const Broker: unknown = require('kafkajs/src/broker/index.js');
  const buildConnectionPools: unknown = require('kafkajs/src/cluster/connectionPoolBuilder.js');
  const createSocketFactory: unknown = require('kafkajs/src/network/socketFactory.js');
  const { createLogger } = require('kafkajs/src/loggers/index.js') as { createLogger: unknown };
  const Encoder: unknown = require('kafkajs/src/protocol/encoder.js');
  expectShape(typeof Broker === 'function', 'src/broker');
  expectShape(typeof buildConnectionPools === 'function', 'src/cluster/connectionPoolBuilder');
  expectShape(typeof createSocketFactory === 'function', 'src/network/socketFactory');
  expectShape(typeof createLogger === 'function', 'src/loggers');
  expectShape(typeof Encoder === 'function', 'src/protocol/encoder');
  return {
    Broker: Broker as Kafkajs['Broker'],
    buildConnectionPools: buildConnectionPools as Kafkajs['buildConnectionPools'],
    socketFactory: (createSocketFactory as () => SocketFactory)(),
    createLogger: createLogger as Kafkajs['createLogger'],
    Encoder: Encoder as Kafkajs['Encoder'],
  };
}

function expectConnection(connection: Connection): void {
  expectShape(typeof connection.requestQueue?.push === 'function', 'RequestQueue.push');
  expectShape(typeof connection.requestQueue.maybeThrottle === 'function', 'RequestQueue.maybeThrottle');
  expectShape(typeof connection.nextCorrelationId === 'function', 'Connection.nextCorrelationId');
  expectShape(typeof connection.isConnected === 'function', 'Connection.isConnected');
  expectShape(typeof connection.rejectRequests === 'function', 'Connection.rejectRequests');
  expectShape(typeof connection.disconnect === 'function', 'Connection.disconnect');
  expectShape(typeof connection.clientId === 'string', 'Connection.clientId');
}

/** The other side ended the connection before there was an answer. */
class HungUpError extends Error {
  override name = 'HungUpError';
}

/** kafkajs is not the one that this file was written for. */
export class KafkajsShapeError extends Error {
  override name = 'KafkajsShapeError';
}

function expectShape(holds: boolean, what: string): void {
  if (!holds) {
    throw new KafkajsShapeError(
      `kafkajs has not the inside that the Kafka sink was written for: ${what}. Install exactly kafkajs ${KAFKAJS_VERSION} (npm ci), or revise sinks/kafka/kafkajs-bridge.ts`,
    );
  }
}
