import type { OnProgress } from './install.ts';
import type { Server } from './server.ts';

/** One broker of a stack. */
export interface Broker extends Server {
  /** Kafka's `node.id`: 1 for the first. */
  readonly nodeId: number;
  /** host:port, the same over its restarts. */
  readonly address: string;
}

/** What a way of running the stack is told. */
export interface ServersContext {
  readonly count: 1 | 3;
  readonly withRegistry: boolean;
  /** For data and logs. */
  readonly folder: string;
  /** The data is to outlive the stack. */
  readonly keepData: boolean;
  /** Broker settings over ours. */
  readonly settings: Readonly<Record<string, string>>;
  /** How long one server may take to answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress;
  /** Called after every start of a server's process. */
  readonly onServerStarted: () => void;
}

/** The servers of a stack, installed and prepared but not started yet. */
export interface Servers {
  readonly brokers: readonly Broker[];
  readonly registry: Server | undefined;
  readonly registryUrl: string | undefined;
  /** Clears away what is left when all are stopped. */
  close(): Promise<void>;
}
