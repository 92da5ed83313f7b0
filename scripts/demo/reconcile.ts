import { LatencyHistogram } from './histogram.ts';

/**
 * Identities remembered before the older half is dropped. It is what bounds the memory: some 300 bytes each,
 * two generations, four exchanges.
 */
const GENERATION = 20_000;

/**
 * A tick that was not read back after this long is lost for good: the ingestor's queues hold much less.
 */
const GIVE_UP_MICROS = 300_000_000;

/** A tick as the simulator's ledger tells it. */
export interface WrittenTick {
  /** What both sides know it by, see `tick-identity.ts`. */
  readonly identity: string;
  /** Microseconds since 1970, just before the frame was handed to the socket. */
  readonly writeTime: number;
  /** Whether it must be read back: its subscription was acknowledged and it is no repetition of a snapshot. */
  readonly owed: boolean;
}

/** What came of an exchange's ticks so far. */
export interface Reconciliation {
  /** Distinct ticks that the simulator wrote to acknowledged subscriptions. */
  readonly owed: number;
  /** Records read back, duplicates included. */
  readonly readBack: number;
  /** Owed and not read back: on its way while the run lasts, lost at its end. */
  readonly missing: number;
  /** Records beyond the first of a tick (or beyond as many as the simulator wrote it). */
  readonly duplicates: number;
  /** Ticks read back that no ledger entry explains. */
  readonly unexplained: number;
}

interface Tick {
  writeTime: number;
  readTime: number;
  writes: number;
  reads: number;
  owed: boolean;
}

/**
 * Matches one exchange's ledger with the ticks read from a sink, while both go on. The two sides may come in
 * any order and at different speeds; what is settled is forgotten after a while, so memory stays flat.
 */
export class Reconciler {
  /** From the simulator's write to the subscriber's read, over the whole run. */
  readonly latency: LatencyHistogram = new LatencyHistogram();
  private readonly recent: (micros: number) => void;
  private readonly generation: number;
  private young = new Map<string, Tick>();
  private old = new Map<string, Tick>();
  private carried = 0;
  private now = 0;
  private owed = 0;
  private readBack = 0;
  private missing = 0;
  private duplicates = 0;
  private unexplained = 0;
  private measuredFrom = 0;

  /**
   * @param recent told every latency in microseconds, too
   * @param generation identities remembered before the older half is dropped
   */
  constructor(recent: (micros: number) => void = () => undefined, generation: number = GENERATION) {
    this.recent = recent;
    this.generation = generation;
  }

  /** An entry of the ledger. */
  wrote({ identity, writeTime, owed }: WrittenTick): void {
    const tick = this.find(identity, writeTime);
    if (tick.writes === 0) {
      tick.writeTime = writeTime;
      if (tick.reads > 0) {
        this.unexplained--;
        this.settle(tick);
      }
    } else if (tick.reads > tick.writes) {
      this.duplicates--;
    }
    tick.writes++;
    if (owed && !tick.owed) {
      tick.owed = true;
      this.owed++;
      if (tick.reads === 0) this.missing++;
    }
  }

  /** A record read at `readTime`, microseconds since 1970. */
  read(identity: string, readTime: number): void {
    const tick = this.find(identity, readTime);
    this.readBack++;
    tick.reads++;
    if (tick.reads > Math.max(1, tick.writes)) this.duplicates++;
    if (tick.reads > 1) return;
    tick.readTime = readTime;
    if (tick.owed) this.missing--;
    if (tick.writes > 0) this.settle(tick);
    else this.unexplained++;
  }

  /** No latency of ticks written before: microseconds since 1970. */
  measureFrom(micros: number): void {
    this.measuredFrom = micros;
  }

  result(): Reconciliation {
    const { owed, readBack, missing, duplicates, unexplained } = this;
    return { owed, readBack, missing, duplicates, unexplained };
  }

  /** How many identities are in memory. */
  get remembered(): number {
    return this.young.size + this.old.size;
  }

  private settle(tick: Tick): void {
    if (tick.writeTime < this.measuredFrom) return;
    const micros = tick.readTime - tick.writeTime;
    this.latency.record(micros);
    this.recent(micros);
  }

  private find(identity: string, time: number): Tick {
    if (time > this.now) this.now = time;
    let tick = this.young.get(identity);
    if (tick !== undefined) return tick;
    tick = this.old.get(identity);
    if (tick === undefined) tick = { writeTime: time, readTime: 0, writes: 0, reads: 0, owed: false };
    else this.old.delete(identity);
    this.young.set(identity, tick);
    if (this.young.size - this.carried >= this.generation) this.turn();
    return tick;
  }

  /** Drops the older generation, but for what is still under way. */
  private turn(): void {
    const kept = new Map<string, Tick>();
    for (const [identity, tick] of this.old) {
      const open = tick.writes === 0 || (tick.owed && tick.reads === 0);
      // What is given up stays counted, as missing or unexplained.
      if (open && this.now - tick.writeTime < GIVE_UP_MICROS) kept.set(identity, tick);
    }
    this.old = this.young;
    this.young = kept;
    this.carried = kept.size;
  }
}
