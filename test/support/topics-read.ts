import type { Quote, Records, Status, Trade } from '@tickline/schemas';
import type { Stack } from '../../scripts/stack/stack.ts';
import type { LedgerEntry } from '../exchanges/ledger.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { readRecords } from './topic-records.ts';

/** What a consumer finds of a test in the topics. */
export interface ReadBack {
  readonly trades: readonly Trade[];
  readonly quotes: readonly Quote[];
  readonly status: readonly Status[];
}

/** Reads the topics of one prefix from beginning to end. */
export async function readBack(stack: Stack, prefix: string): Promise<ReadBack> {
  const [trades, quotes, status] = await Promise.all([
    readRecords(stack, 'trades', prefix),
    readRecords(stack, 'quotes', prefix),
    readRecords(stack, 'status', prefix),
  ]);
  return { trades, quotes, status };
}

/** Of these records, those of one exchange. */
export function of<T extends Records[keyof Records]>(records: readonly T[], simulator: Simulator): T[] {
  return records.filter(({ exchange }) => exchange === simulator.exchange);
}

/** What the simulator wrote on a channel; Kraken's snapshots of past trades are not asked for. */
export function written<C extends LedgerEntry['channel']>(
  simulator: Simulator,
  channel: C,
): Extract<LedgerEntry, { channel: C }>[] {
  return [...simulator.ledger.entries()].filter(
    (entry): entry is Extract<LedgerEntry, { channel: C }> => entry.channel === channel,
  );
}
