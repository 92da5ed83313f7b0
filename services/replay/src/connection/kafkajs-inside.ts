import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** The one version whose insides were read for this file; the package is pinned to it. */
const KAFKAJS_VERSION = '2.2.4';
/** Versions that Kafka 2.3 to 4.x have in common, and kafkajs encodes (Fetch: we do). */
export const FETCH = { apiKey: 1, apiVersion: 11, apiName: 'Fetch' } as const;
const LIST_OFFSETS = { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets' } as const;
const METADATA = { apiKey: 3, apiVersion: 6, apiName: 'Metadata' } as const;
const DESCRIBE_CONFIGS = { apiKey: 32, apiVersion: 2, apiName: 'DescribeConfigs' } as const;
/** What a broker must speak. */
export const NEEDED = [FETCH, LIST_OFFSETS, METADATA, DESCRIBE_CONFIGS] as const;

// What is used of kafkajs' insides, and nothing more.

/** One socket, with the queue of what waits for answers on it. */
export interface Connection {
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

/** The sockets to one broker. */
export interface ConnectionPool {
  readonly pool: Connection[];
  getConnection(): Promise<Connection>;
  send(request: {
    request: unknown;
    response: { decode: Decode; parse: (data: unknown) => Promise<unknown> };
  }): Promise<unknown>;
}

type Decode = (data: Buffer) => Promise<unknown>;

/** A broker: TLS, login and the API versions that it speaks. */
export interface Broker {
  readonly connectionPool: ConnectionPool;
  readonly versions: Record<number, { minVersion: number; maxVersion: number }> | null;
  connect(): Promise<void>;
  isConnected(): boolean;
}

/** Opens a socket. */
export type SocketFactory = (where: {
  host: string;
  port: number;
  ssl: unknown;
  onConnect: () => void;
}) => Socket;
/** Makes a request of its fields, with what decodes the answer. */
export type Protocol = (body: Record<string, unknown>) => { request: unknown; response: { decode: Decode } };

/** kafkajs' parts that are used. */
export interface Kafkajs {
  readonly Broker: new (options: Record<string, unknown>) => Broker;
  readonly buildConnectionPools: (options: Record<string, unknown>) => {
    build(where: { host: string; port: number }): Promise<ConnectionPool>;
  };
  readonly socketFactory: SocketFactory;
  readonly createLogger: (options: { level: number; logCreator: () => () => void }) => unknown;
  readonly listOffsets: Protocol;
  readonly metadata: Protocol;
  readonly describeConfigs: Protocol;
}

/** kafkajs' parts. Throws KafkajsShapeError when it is not the one that this file was written for. */
export function loadKafkajs(): Kafkajs {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  expectShape(version === KAFKAJS_VERSION, `version ${KAFKAJS_VERSION} (it is ${version})`);
  const Broker: unknown = require('kafkajs/src/broker/index.js');
  const buildConnectionPools: unknown = require('kafkajs/src/cluster/connectionPoolBuilder.js');
  const createSocketFactory: unknown = require('kafkajs/src/network/socketFactory.js');
  const { createLogger } = require('kafkajs/src/loggers/index.js') as { createLogger: unknown };
  expectShape(typeof Broker === 'function', 'src/broker');
  expectShape(typeof buildConnectionPools === 'function', 'src/cluster/connectionPoolBuilder');
  expectShape(typeof createSocketFactory === 'function', 'src/network/socketFactory');
  expectShape(typeof createLogger === 'function', 'src/loggers');
  const protocolOf = (folder: string, { apiVersion, apiName }: (typeof NEEDED)[number]): Protocol => {
    const { protocol } = require(`kafkajs/src/protocol/requests/${folder}/index.js`) as {
      protocol: (of: { version: number }) => unknown;
    };
    expectShape(typeof protocol === 'function', `src/protocol/requests/${folder}`);
    const made = protocol({ version: apiVersion });
    expectShape(typeof made === 'function', `${apiName} version ${apiVersion}`);
    return made as Protocol;
  };
  return {
    Broker: Broker as Kafkajs['Broker'],
    buildConnectionPools: buildConnectionPools as Kafkajs['buildConnectionPools'],
    socketFactory: (createSocketFactory as () => SocketFactory)(),
    createLogger: createLogger as Kafkajs['createLogger'],
    listOffsets: protocolOf('listOffsets', LIST_OFFSETS),
    metadata: protocolOf('metadata', METADATA),
    describeConfigs: protocolOf('describeConfigs', DESCRIBE_CONFIGS),
  };
}

/** Checks a broker and its connections as they were built. Throws KafkajsShapeError. */
export function expectBroker(broker: Broker, connectionPool: ConnectionPool): void {
  expectShape(typeof broker.connect === 'function', 'Broker.connect');
  expectShape(typeof broker.isConnected === 'function', 'Broker.isConnected');
  expectShape(typeof connectionPool.getConnection === 'function', 'ConnectionPool.getConnection');
  expectShape(typeof connectionPool.send === 'function', 'ConnectionPool.send');
  for (const connection of connectionPool.pool) expectConnection(connection);
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

/** kafkajs is not the one that this file was written for. */
export class KafkajsShapeError extends Error {
  override name = 'KafkajsShapeError';
}

function expectShape(holds: boolean, what: string): void {
  if (!holds) {
    throw new KafkajsShapeError(
      `kafkajs has not the inside that tickline was written for: ${what}. Install exactly kafkajs ${KAFKAJS_VERSION} (npm ci), or revise connection/kafkajs-inside.ts`,
    );
  }
}
