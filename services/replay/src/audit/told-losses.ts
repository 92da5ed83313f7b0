import type { Status } from '@tickline/schemas';
import type { Hole } from './interval-ledger.ts';

/** What `md.status` says about missing ticks of one symbol and channel. Times are microseconds. */
interface ToldLoss {
  readonly state: string;
  readonly reason: string;
  /** Missing ids; null when the record names none. */
  readonly firstId: number | null;
  readonly lastId: number | null;
  /** Receive times of the ticks around the gap; null when not told. */
  readonly firstTime: number | null;
  readonly lastTime: number | null;
}

/** The states of `md.status` that tell of ticks that are missing. */
const TELLS_OF_LOSS: ReadonlySet<string> = new Set(['gap', 'shedding']);
/** The state that tells of ticks that may occur twice. */
const TELLS_OF_REPEATS = 'repeated';

/** Whether a status record of this state says anything to an audit. */
export function concernsAudit(state: string): boolean {
  return TELLS_OF_LOSS.has(state) || state === TELLS_OF_REPEATS;
}

/** All that the status records tell of losses; what they tell is held against holes. */
export class ToldLosses {
  private readonly byUnit = new Map<string, ToldLoss[]>();
  /** Unit → why ticks may occur twice. */
  private readonly repeats = new Map<string, string>();

  add(status: Status): void {
    const unit = nameOf(status.exchange, status.symbol, status.channel);
    if (status.state === TELLS_OF_REPEATS) this.repeats.set(unit, status.reason);
    if (!TELLS_OF_LOSS.has(status.state)) return;
    const told = this.byUnit.get(unit) ?? [];
    told.push({
      state: status.state,
      reason: status.reason,
      firstId: numberOf(status.firstId),
      lastId: numberOf(status.lastId),
      firstTime: status.firstTime,
      lastTime: status.lastTime,
    });
    this.byUnit.set(unit, told);
  }

  /**
   * Why trade ids are missing; null when nothing tells all of them. Records that name ids must name these; one that
   * names only times must overlap the time of the hole.
   */
  whyIdsAreMissing(exchange: string, symbol: string, channel: string, hole: Hole): string | null {
    const told = this.byUnit.get(nameOf(exchange, symbol, channel)) ?? [];
    const byId = told.filter(
      ({ firstId, lastId }) =>
        firstId !== null && lastId !== null && firstId <= hole.last && lastId >= hole.first,
    );
    // Several records may tell parts of one hole.
    let next = hole.first;
    for (const { firstId, lastId } of byId.sort((a, b) => a.firstId! - b.firstId!)) {
      if (firstId! <= next) next = Math.max(next, lastId! + 1);
    }
    if (next > hole.last) return reasonOf(byId);
    return this.byTime(
      told.filter(({ firstId }) => firstId === null),
      hole,
    );
  }

  /** Why sequence numbers are missing: a record overlaps the time of the hole. Null when none does. */
  whySequencesAreMissing(exchange: string, symbol: string, channel: string, hole: Hole): string | null {
    return this.byTime(this.byUnit.get(nameOf(exchange, symbol, channel)) ?? [], hole);
  }

  /** Why ticks may occur twice; null when nothing was told. */
  whyRepeated(exchange: string, symbol: string, channel: string): string | null {
    const reason = this.repeats.get(nameOf(exchange, symbol, channel));
    return reason === undefined ? null : `${TELLS_OF_REPEATS}: ${reason}`;
  }

  private byTime(told: readonly ToldLoss[], { after, before }: Hole): string | null {
    const overlapping = told.filter(
      ({ firstTime, lastTime }) =>
        firstTime !== null && lastTime !== null && firstTime <= before.time && lastTime >= after.time,
    );
    return overlapping.length === 0 ? null : reasonOf(overlapping);
  }
}

function reasonOf(told: readonly ToldLoss[]): string {
  return [...new Set(told.map(({ state, reason }) => (reason === '' ? state : `${state}: ${reason}`)))].join(
    '; ',
  );
}

function numberOf(id: string | null): number | null {
  return id !== null && /^\d{1,15}$/.test(id) ? Number(id) : null;
}

function nameOf(exchange: string, symbol: string, channel: string): string {
  return `${exchange}:${symbol}:${channel}`;
}
