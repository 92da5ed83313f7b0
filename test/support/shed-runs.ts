import type { Quote, Status, Trade } from '@tickline/schemas';
import type { LedgerEntry } from '../exchanges/ledger.ts';
import { type ChannelReadBack, nameOf } from './read-back.ts';

/** One symbol's ticks of a channel. */
export interface SymbolReadBack {
  /** In order: the n-th has the sequence number n, as long as one pod read all of one connection. */
  readonly written: readonly LedgerEntry[];
  readonly read: readonly (Trade | Quote)[];
}

/** The symbols of these channels. */
export function symbolsOf(channels: readonly ChannelReadBack[]): SymbolReadBack[] {
  return channels.flatMap(({ entries, records }) => {
    const read = Map.groupBy(records, ({ exchangeSymbol }) => exchangeSymbol);
    return [...Map.groupBy(entries, ({ exchangeSymbol }) => exchangeSymbol)].map(([symbol, written]) => ({
      written,
      read: read.get(symbol) ?? [],
    }));
  });
}

/** Each unbroken run of what was written and not read, in words: first and last id, and how many. */
export function runsMissing(channels: readonly ChannelReadBack[]): string[] {
  return symbolsOf(channels)
    .flatMap(({ written, read }) => {
      const there = new Set(read.map(({ sequence }) => sequence));
      const runs: LedgerEntry[][] = [];
      for (const [at, entry] of written.entries()) {
        if (there.has(at + 1)) continue;
        if (at === 0 || there.has(at)) runs.push([]);
        runs.at(-1)!.push(entry);
      }
      return runs.map((run) => inWords(run[0]!.exchange, nameOf(run[0]!), nameOf(run.at(-1)!), run.length));
    })
    .sort();
}

/** The gap records, in the same words. */
export function runsTold(status: readonly Status[]): string[] {
  return status
    .filter(({ state }) => state === 'gap')
    .map(({ exchange, exchangeSymbol, firstId, lastId, count }) =>
      inWords(exchange, `${exchangeSymbol} ${firstId}`, `${exchangeSymbol} ${lastId}`, count),
    )
    .sort();
}

function inWords(exchange: string, first: string, last: string, count: number | null): string {
  return `${exchange}: ${first} to ${last}, ${count}`;
}
