import type { Quote, Trade } from '@tickline/schemas';
import type { LedgerEntry } from '../exchanges/ledger.ts';

/** How what was read back compares with what a simulator wrote to acknowledged subscriptions. */
export interface Comparison {
  /** Written and not read back. */
  readonly missing: LedgerEntry[];
  /** Read back more than once, by identity. */
  readonly duplicates: string[];
  /** Read back and never written. */
  readonly unknown: string[];
  /** Digits, side or time that differ, one sentence each. */
  readonly differing: string[];
  /** A symbol's ticks that came in another order than they were written. */
  readonly outOfOrder: string[];
  readonly matched: number;
}

type Tick = Trade | Quote;

/** Compares one exchange's ledger entries of one channel with the records of that exchange and channel. */
export function againstLedger(entries: readonly LedgerEntry[], records: readonly Tick[]): Comparison {
  const written = new Map<string, { entry: LedgerEntry; place: number }>();
  for (const [place, entry] of entries.entries()) written.set(identityOfEntry(entry), { entry, place });
  const seen = new Set<string>();
  const duplicates: string[] = [];
  const unknown: string[] = [];
  const differing: string[] = [];
  const outOfOrder: string[] = [];
  const lastPlace = new Map<string, number>();
  for (const record of records) {
    const identity = identityOfRecord(record);
    const match = written.get(identity);
    if (match === undefined) {
      unknown.push(identity);
      continue;
    }
    if (seen.has(identity)) {
      duplicates.push(identity);
      continue;
    }
    seen.add(identity);
    const last = lastPlace.get(record.exchangeSymbol) ?? -1;
    if (match.place < last) outOfOrder.push(identity);
    lastPlace.set(record.exchangeSymbol, match.place);
    differing.push(...differences(match.entry, record));
  }
  return {
    missing: entries.filter((entry) => entry.acknowledged && !seen.has(identityOfEntry(entry))),
    duplicates,
    unknown,
    differing,
    outOfOrder,
    matched: seen.size,
  };
}

/** Kraken's quotes have no id: their exchange time is unique per symbol in the simulators. */
function identityOfEntry(entry: LedgerEntry): string {
  return `${entry.exchangeSymbol} ${entry.id ?? entry.exchangeTime}`;
}

function identityOfRecord(record: Tick): string {
  const id = 'tradeId' in record ? record.tradeId : record.updateId;
  return `${record.exchangeSymbol} ${id ?? record.exchangeTime}`;
}

function differences(entry: LedgerEntry, record: Tick): string[] {
  const sent = fieldsOf(entry);
  return Object.entries(sent)
    .map(([field, value]) => [field, value, record[field as keyof Tick]] as const)
    .filter(([, value, read]) => value !== read)
    .map(([field, value, read]) => `${identityOfEntry(entry)}: ${field} sent ${value}, read ${read}`);
}

/** What the record must say, by its own field names. */
function fieldsOf(entry: LedgerEntry): Record<string, string | number | null> {
  const { exchangeTime } = entry;
  if (entry.channel === 'trades') {
    return { exchangeTime, price: plain(entry.price), quantity: plain(entry.quantity), side: entry.side };
  }
  return {
    exchangeTime,
    bidPrice: plain(entry.bidPrice),
    bidQuantity: plain(entry.bidQuantity),
    askPrice: plain(entry.askPrice),
    askQuantity: plain(entry.askQuantity),
  };
}

/** The ledger keeps the digits as sent; records print without trailing zeros. */
function plain(digits: string | null): string | null {
  if (digits === null) return null;
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
