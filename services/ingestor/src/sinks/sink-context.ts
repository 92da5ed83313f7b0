import type { PodStatus, TickChannel } from '@tickline/schemas';
import type { SinkLog } from './sink-log.ts';

/** One symbol of the configuration, whoever owns it. */
export interface DirectoryEntry {
  readonly exchange: string;
  readonly symbol: string;
  readonly exchangeSymbol: string;
  readonly kind: string;
  readonly base: string;
  readonly quote: string;
  readonly settle: string;
  readonly status: string;
  readonly channels: readonly TickChannel[];
  /** The shards that own it: one, or two while the shard count changes. The new owner is first. */
  readonly shards: readonly number[];
}

/** What a sink may know of the pod that it belongs to; all of it may change while the pod runs. */
export interface SinkContext {
  readonly log: SinkLog;
  readonly shard: { readonly index: number; readonly count: number };
  /** Empty until the exchanges' listings were read. */
  directory(): readonly DirectoryEntry[];
  /** Counts the changes of `directory`, so that an index over it is made anew only then. */
  directoryVersion(): number;
  status(): PodStatus;
  /** Tells of a secret that was read after the start: no log line and no status may show it. */
  learnSecret(secret: string): void;
}
