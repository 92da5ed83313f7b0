import { type Quote, TICK_CHANNELS, type TickChannel, type Trade } from '@tickline/schemas';
import type { Stack } from '../../scripts/stack/stack.ts';
import type { ExchangeName, LedgerEntry } from '../exchanges/ledger.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { againstLedger, type Comparison } from './against-ledger.ts';
import { readRecords } from './topic-records.ts';

/** One exchange's channel: what was written, what was read, and how they compare. */
export interface ChannelReadBack extends Comparison {
  readonly exchange: ExchangeName;
  readonly channel: TickChannel;
  readonly entries: readonly LedgerEntry[];
  readonly records: readonly (Trade | Quote)[];
}

/** All that is in the tick topics of a prefix, beside the ledgers of the simulators. */
export async function readBack(
  stack: Stack,
  simulators: readonly Simulator[],
  prefix: string,
): Promise<ChannelReadBack[]> {
  const channels: ChannelReadBack[] = [];
  for (const channel of TICK_CHANNELS) {
    const all = await readRecords(stack, channel, prefix);
    for (const { exchange, ledger } of simulators) {
      const entries = [...ledger.entries()].filter((entry) => entry.channel === channel);
      const records = all.filter((record) => record.exchange === exchange);
      channels.push({ exchange, channel, entries, records, ...againstLedger(entries, records) });
    }
  }
  return channels;
}

/** What must never be, in a sentence each; empty when every tick was read back once, in order, digit for digit. */
export function troublesOf(channels: readonly ChannelReadBack[]): string[] {
  return [
    ...channels.flatMap(({ missing, ...rest }) => [
      ...sentence(rest, 'missing', missing.map(nameOf)),
      ...mistakesOf([{ missing, ...rest }]),
    ]),
    ...holesOf(channels.flatMap(({ records }) => records)),
  ];
}

/** Like {@link troublesOf}, where ticks may be missing: what is there must still be right. */
export function mistakesOf(channels: readonly ChannelReadBack[]): string[] {
  return channels.flatMap((channel) => [
    ...sentence(channel, 'twice', channel.duplicates),
    ...sentence(channel, 'never written', channel.unknown),
    ...sentence(channel, 'out of order', channel.outOfOrder),
    ...sentence(channel, 'differ', channel.differing),
  ]);
}

/** Holes in what each producer counted, by exchange, symbol and channel: from 1, conflated ticks included. */
export function holesOf(records: readonly (Trade | Quote)[]): string[] {
  const last = new Map<string, number>();
  const holes: string[] = [];
  for (const record of records) {
    const { producer, exchange, symbol, sequence, conflated } = record;
    const stream = `${producer} ${exchange} ${symbol} ${'tradeId' in record ? 'trades' : 'quotes'}`;
    const before = last.get(stream) ?? 0;
    if (sequence - conflated !== before + 1) {
      holes.push(`${stream}: ${sequence} (conflated ${conflated}) follows ${before}`);
    }
    last.set(stream, sequence);
  }
  return holes;
}

/** How many ticks were read back, of all of them. */
export function matchedIn(channels: readonly ChannelReadBack[]): number {
  return channels.reduce((sum, { matched }) => sum + matched, 0);
}

/** An entry as people name it. */
export function nameOf(entry: LedgerEntry): string {
  return `${entry.exchangeSymbol} ${entry.id ?? entry.exchangeTime}`;
}

function sentence(
  { exchange, channel }: { readonly exchange: string; readonly channel: string },
  what: string,
  which: readonly string[],
): string[] {
  if (which.length === 0) return [];
  const first = which.slice(0, 5).join('; ');
  return [`${exchange} ${channel}: ${which.length} ${what}: ${first}${which.length > 5 ? ' …' : ''}`];
}
