import { afterEach, vi } from 'vitest';
import type { LedgerEntry, QuoteEntry, TradeEntry } from './ledger.ts';
import { RawClient } from './raw-client.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';

type Provenance = 'index' | 'exchange' | 'writeTime' | 'connection' | 'acknowledged' | 'snapshot';

/** What a ledger entry and a received frame must agree on. */
export type Tick = Omit<TradeEntry, Provenance> | Omit<QuoteEntry, Provenance>;

/** A ledger entry as a tick. */
export function tickOf(entry: LedgerEntry): Tick {
  const {
    index: _i,
    exchange: _e,
    writeTime: _w,
    connection: _c,
    acknowledged: _a,
    snapshot: _s,
    ...tick
  } = entry;
  return tick;
}

// Waiting is always for a condition; the ceilings only end what hangs, also on a machine that is busy.
vi.setConfig({ testTimeout: 30_000 });

/** Waits until an assertion holds. */
export async function eventually(assertion: () => unknown): Promise<void> {
  await vi.waitFor(assertion, { timeout: 20_000, interval: 10 });
}

/** Starts simulators and clients and ends them after each test of the file that calls this. */
export function testBench(): {
  start: (options: SimulatorOptions) => Promise<Simulator>;
  connect: (url: string, autoPong?: boolean) => Promise<RawClient>;
} {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  return {
    async start(options) {
      const simulator = await startSimulator(options);
      ends.push(() => simulator.close());
      return simulator;
    },
    async connect(url, autoPong) {
      const client = await RawClient.open(url, autoPong);
      ends.push(() => client.end());
      return client;
    },
  };
}
