/** A trade that an exchange made, whether anybody was subscribed to it or not. */
export interface MadeTrade {
  readonly exchange: string;
  readonly exchangeSymbol: string;
  /** The exchange's id; the last one where a trade covers several. */
  readonly id: string;
  /** How many ids it covers: OKX sends several fills as one. */
  readonly ids: number;
  /** Microseconds, by the exchange's clock. */
  readonly time: number;
}

/** A gap record on trades, as far as it is compared. */
export interface GapRecord {
  readonly exchange: string;
  readonly exchangeSymbol: string;
  /** Null where the exchange's ids prove nothing. */
  readonly firstId: string | null;
  readonly lastId: string | null;
  /** Receive times around the gap, in microseconds. */
  readonly firstTime: number | null;
  readonly lastTime: number | null;
}

/** A stretch of the test, in microseconds: from its beginning, to but without its end. */
export interface Phase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Trades of one symbol that are in the topic of none of the pods, one after the other. */
export interface MissingRun {
  readonly phase: string;
  readonly exchange: string;
  readonly exchangeSymbol: string;
  readonly firstId: string;
  readonly lastId: string;
  readonly trades: number;
  /** The ids that they cover. */
  readonly ids: number;
  /** When the exchange made the first and the last, in microseconds. */
  readonly from: number;
  readonly to: number;
  /** Whether gap records name every one of them: what is lost between two lives of a pod, no pod can know. */
  readonly named: boolean;
}

/** What identifies a trade in the topic and at the exchange. */
export function tradeKey(
  trade: { readonly exchange: string; readonly exchangeSymbol: string },
  id: string,
): string {
  return `${trade.exchange} ${trade.exchangeSymbol} ${id}`;
}

/**
 * The trades that were made during the phases and are not in the topic, in runs.
 * @param made in the order in which each symbol's were made; a trade may occur twice, as it is written to two sockets
 * @param read the keys ({@link tradeKey}) of all trades in the topic
 */
export function missingRuns(
  made: readonly MadeTrade[],
  read: ReadonlySet<string>,
  phases: readonly Phase[],
  gaps: readonly GapRecord[],
): MissingRun[] {
  const runs: MissingRun[] = [];
  const gapsOf = Map.groupBy(gaps, (gap) => tradeKey(gap, ''));
  for (const [symbol, trades] of Map.groupBy(made, (trade) => tradeKey(trade, ''))) {
    let open: MissingRun | undefined;
    const close = (): void => {
      if (open !== undefined) runs.push(open);
      open = undefined;
    };
    const seen = new Set<string>();
    for (const trade of trades) {
      if (seen.has(trade.id)) continue;
      seen.add(trade.id);
      const phase = phases.find(({ from, to }) => from <= trade.time && trade.time < to)?.name;
      if (phase === undefined || read.has(tradeKey(trade, trade.id))) {
        close();
        continue;
      }
      if (open?.phase !== phase) close();
      const named = (gapsOf.get(symbol) ?? []).some((gap) => names(gap, trade));
      const { exchange, exchangeSymbol, id, ids, time } = trade;
      open = {
        ...(open ?? { phase, exchange, exchangeSymbol, firstId: id, from: time }),
        ...{
          lastId: id,
          to: time,
          trades: (open?.trades ?? 0) + 1,
          ids: (open?.ids ?? 0) + ids,
          named: (open?.named ?? true) && named,
        },
      };
    }
    close();
  }
  return runs.sort((a, b) => a.from - b.from);
}

function names({ firstId, lastId, firstTime, lastTime }: GapRecord, { id, time }: MadeTrade): boolean {
  if (firstId !== null && lastId !== null)
    return BigInt(firstId) <= BigInt(id) && BigInt(id) <= BigInt(lastId);
  return firstTime !== null && lastTime !== null && firstTime <= time && time <= lastTime;
}

/** A run in words: `binance BTCUSDT 17 to 21, 5 trades in 0.40 s, named by gap records`. */
export function inWords({
  exchange,
  exchangeSymbol,
  firstId,
  lastId,
  trades,
  from,
  to,
  named,
}: MissingRun): string {
  const ids = trades === 1 ? firstId : `${firstId} to ${lastId}`;
  const count = trades === 1 ? '1 trade' : `${trades} trades in ${((to - from) / 1e6).toFixed(2)} s`;
  return `${exchange} ${exchangeSymbol} ${ids}, ${count}${named ? ', named by gap records' : ''}`;
}
