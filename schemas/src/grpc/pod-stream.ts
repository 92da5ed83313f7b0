import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { BatchChannel } from './batch-channel.ts';
import { Continuity, type TickGap } from './continuity.ts';
import type { TickBatch } from './generated/tickline/market_data/v1/market_data.ts';
import { recordOf, type TickRecord } from './records.ts';

/** The connection to a pod: its subscription stands, or is lost and tried again. */
export interface ConnectionChange {
  readonly kind: 'connection';
  readonly address: string;
  readonly state: 'live' | 'lost';
  /** Why it was lost; empty when it is live. */
  readonly reason: string;
}

/** What a subscription hands out. */
export type TickEvent = TickRecord | TickGap | ConnectionChange;

/** Asking again can't help: the request, the token or the certificate is wrong. */
const FINAL: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
]);

/** Whether a call that ended so can succeed later. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof Error && 'code' in error && FINAL.has(Number(error.code)));
}

/** What a pod's stream needs of its client. */
export interface PodStreamParts {
  readonly address: string;
  readonly channel: BatchChannel<readonly TickEvent[]>;
  /** Opens the call; `again`: not for the first time. */
  readonly open: (again: boolean) => ClientReadableStream<TickBatch>;
  readonly backoffMs: { readonly first: number; readonly longest: number };
  /** The pod says that it has nothing of what is wanted: a change of owners, if it did before. */
  readonly gone: (error: unknown) => void;
  /** Asking again can't help. */
  readonly failed: (error: unknown) => void;
}

/** One pod's part of a subscription: reconnects, and notes what was missed meanwhile. */
export class PodStream {
  private readonly parts: PodStreamParts;
  private readonly continuity = new Continuity();
  private call: ClientReadableStream<TickBatch> | null = null;
  private wake: (() => void) | null = null;
  private isClosed = false;
  private wasLive = false;

  constructor(parts: PodStreamParts) {
    this.parts = parts;
  }

  /** Runs until `close`, or until asking again can't help. */
  async run(): Promise<void> {
    const { address, channel, backoffMs } = this.parts;
    for (let failures = 0; !this.isClosed; failures++) {
      const error = await this.readOnce(() => {
        failures = 0;
      });
      if (this.isClosed) return;
      if (!isPassing(error)) {
        if (this.wasLive) this.parts.gone(error);
        else this.parts.failed(error);
        return;
      }
      await channel.put([{ kind: 'connection', address, state: 'lost', reason: textOf(error) }]);
      const longest = Math.min(backoffMs.longest, backoffMs.first * 2 ** Math.min(failures, 20));
      await this.pause(longest * (0.5 + Math.random() / 2));
    }
  }

  close(): void {
    this.isClosed = true;
    this.call?.cancel();
    this.wake?.();
  }

  /** Reads one call to its end; resolves with why it ended. */
  private async readOnce(onData: () => void): Promise<unknown> {
    const { address, channel } = this.parts;
    const call = this.parts.open(this.wasLive);
    this.call = call;
    // Headers come when the pod has accepted, before there is a tick.
    call.once('metadata', () => {
      if (this.isClosed) return;
      this.wasLive = true;
      void channel.put([{ kind: 'connection', address, state: 'live', reason: '' }]);
    });
    try {
      for await (const batch of call as AsyncIterable<TickBatch>) {
        onData();
        const events = this.eventsOf(batch);
        if (events.length > 0) await channel.put(events);
      }
      return new Error('the pod ended the stream');
    } catch (error) {
      return error;
    }
  }

  private eventsOf({ ticks }: TickBatch): TickEvent[] {
    const events: TickEvent[] = [];
    for (const tick of ticks) {
      const record = recordOf(tick);
      if (record === null) continue;
      const check = this.continuity.check(record);
      if (check === 'repeated') continue;
      if (check !== null) events.push(check);
      events.push(record);
    }
    return events;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wake = done;
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? ((error as Partial<ServiceError>).details ?? error.message) : String(error);
}
