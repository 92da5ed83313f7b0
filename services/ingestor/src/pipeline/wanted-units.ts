import type { Instrument } from '../exchanges/instrument.ts';

/** What of a configuration's symbols an exchange's listing knows. */
export interface WantedUnits {
  /** Owned by this shard and listed, in the listing's order. */
  readonly listed: readonly Instrument[];
  /** Listed and wanted, whoever owns them: what the fleet serves. */
  readonly all: readonly Instrument[];
  /** Named by the configuration, owned by this shard, not listed. */
  readonly unlisted: readonly string[];
}

/** Two native names became one symbol; design rule 7 refuses to guess which is meant. */
export class AmbiguousSymbolError extends Error {
  override name = 'AmbiguousSymbolError';
}

/**
 * The instruments that a shard subscribes: listed, wanted by the configuration, owned by the shard.
 * `wanted` matches symbols and patterns; a pattern takes only what is trading. `named` are the
 * symbols without wildcard. Throws AmbiguousSymbolError when a wanted symbol has two native names.
 */
export function wantedUnits(
  listing: readonly Instrument[],
  wanted: (symbol: string) => boolean,
  named: readonly string[],
  owns: (symbol: string) => boolean,
): WantedUnits {
  const byName = new Set(named);
  const bySymbol = new Map<string, Instrument>();
  for (const instrument of listing) {
    const { symbol } = instrument;
    if (!wanted(symbol)) continue;
    if (!byName.has(symbol) && instrument.status !== 'trading') continue;
    const other = bySymbol.get(symbol);
    if (other !== undefined && other.exchangeSymbol !== instrument.exchangeSymbol) {
      throw new AmbiguousSymbolError(
        `${instrument.exchange} lists ${other.exchangeSymbol} and ${instrument.exchangeSymbol}, which are both ${symbol}: take the symbol out of exchanges.${instrument.exchange}.symbols`,
      );
    }
    bySymbol.set(symbol, instrument);
  }
  const all = [...bySymbol.values()];
  return {
    all,
    listed: all.filter(({ symbol }) => owns(symbol)),
    unlisted: named.filter((symbol) => !bySymbol.has(symbol) && owns(symbol)),
  };
}
