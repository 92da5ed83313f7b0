import type { Quote, Status, Trade } from '@tickline/schemas';
import type { TradeEntry } from '../exchanges/ledger.ts';
import type { Simulator } from '../exchanges/simulator.ts';

type Tick = Trade | Quote;

/** What a gap record must say, in one line: `trades BTCUSDT ids 5 to 9 (5), 17 to 21 µs`. */
export type GapText = string;

/** Every id that trades of these entries or records cover, as `BTCUSDT 17`. */
export function tradeIds(trades: readonly (TradeEntry | Trade)[]): Set<string> {
  return new Set(
    trades.flatMap((trade) => {
      const id = 'id' in trade ? trade.id : trade.tradeId;
      const fills = 'id' in trade ? trade.count : (trade.fillCount ?? 1);
      return fills === 1
        ? [`${trade.exchangeSymbol} ${id}`]
        : Array.from({ length: fills }, (_, back) => `${trade.exchangeSymbol} ${Number(id) - back}`);
    }),
  );
}

/** Every id that gap records on trades name. */
export function gapIds(status: readonly Status[]): Set<string> {
  const ids = new Set<string>();
  for (const { state, channel, exchangeSymbol, firstId, lastId } of status) {
    if (state !== 'gap' || channel !== 'trades' || firstId === null) continue;
    for (let id = Number(firstId); id <= Number(lastId); id++) ids.add(`${exchangeSymbol} ${id}`);
  }
  return ids;
}

/** Ids of trades that the exchange made and that are not in the topic. */
export function missingTradeIds(simulator: Simulator, records: readonly Trade[]): Set<string> {
  const made = [...simulator.ledger.entries(), ...simulator.unheard.entries()].filter(
    (entry): entry is TradeEntry => entry.channel === 'trades' && !entry.snapshot,
  );
  const read = tradeIds(records);
  return new Set([...tradeIds(made)].filter((id) => !read.has(id)));
}

/** The gap records as they were written. */
export function gaps(status: readonly Status[]): GapText[] {
  return status
    .filter(({ state }) => state === 'gap')
    .map(gapText)
    .sort();
}

/**
 * The gap records that must have been written by what the topic itself shows: holes in ids where the exchange counts, else
 * one for each change of session.
 */
export function gapsByRecords(ticks: readonly Tick[], counting: boolean): GapText[] {
  const found: GapText[] = [];
  for (const stream of streams(ticks)) {
    for (const [at, tick] of stream.entries()) {
      const before = stream[at - 1];
      if (before === undefined) continue;
      const times = { firstTime: before.receiveTime, lastTime: tick.receiveTime };
      const { exchangeSymbol } = tick;
      if (counting && 'tradeId' in tick && 'tradeId' in before) {
        const first = Number(before.tradeId) + 1;
        const last = Number(tick.tradeId) - (tick.fillCount ?? 1);
        if (first > last) continue;
        const ids = { firstId: String(first), lastId: String(last), count: last - first + 1 };
        found.push(gapText({ channel: 'trades', exchangeSymbol, ...ids, ...times }));
      } else if (before.session !== tick.session) {
        const channel = 'tradeId' in tick ? 'trades' : 'quotes';
        found.push(gapText({ channel, exchangeSymbol, firstId: null, lastId: null, count: null, ...times }));
      }
    }
  }
  return found.sort();
}

/** The ticks of each symbol, by our sequence. */
function streams(ticks: readonly Tick[]): Tick[][] {
  const bySymbol = Map.groupBy(ticks, ({ exchangeSymbol }) => exchangeSymbol);
  return [...bySymbol.values()].map((each) => each.toSorted((a, b) => a.sequence - b.sequence));
}

function gapText(
  gap: Pick<Status, 'channel' | 'exchangeSymbol' | 'firstId' | 'lastId' | 'count' | 'firstTime' | 'lastTime'>,
): GapText {
  const ids = gap.firstId === null ? 'ids unknown' : `ids ${gap.firstId} to ${gap.lastId} (${gap.count})`;
  return `${gap.channel} ${gap.exchangeSymbol} ${ids}, ${gap.firstTime} to ${gap.lastTime} µs`;
}
