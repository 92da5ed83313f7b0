import { EXCHANGES, type ExchangeName } from '@tickline/schemas';
import { fewestEdits } from '../config/format.ts';
import { type ConfigProblem, type FleetConfig, isPattern, symbolMatcher } from '../config.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Instrument } from '../exchanges/instrument.ts';

/** Exchanges by name: the registry, or others in tests. */
export type ExchangeLookup = Readonly<Partial<Record<ExchangeName, Exchange>>>;

/** What one exchange's part of the configuration comes down to. */
export interface ListedSymbols {
  readonly exchange: ExchangeName;
  /** How many instruments the exchange lists; null when it was not asked. */
  readonly listed: number | null;
  /** Those that the configuration names, by canonical symbol. */
  readonly instruments: readonly Instrument[];
  /** Symbols that are wrong. */
  readonly problems: readonly ConfigProblem[];
  /** The exchange did not answer. */
  readonly failure: string | null;
}

/** Asks every exchange of a configuration for its listing, all at once, and looks the symbols up in it. */
export function listSymbols(
  config: Pick<FleetConfig, 'exchanges'>,
  exchanges: ExchangeLookup,
  signal: AbortSignal,
): Promise<ListedSymbols[]> {
  return Promise.all(
    configured(config).map(async ([name, { symbols, endpoints, listingTimeoutMs }]) => {
      const nothing = { exchange: name, listed: null, instruments: [], problems: [] };
      const exchange = exchanges[name];
      if (exchange === undefined) return { ...nothing, failure: `${name} is not built in` };
      try {
        const listing = await exchange.fetchInstruments({ endpoints, signal, timeoutMs: listingTimeoutMs });
        return { exchange: name, listed: listing.length, failure: null, ...lookUp(name, symbols, listing) };
      } catch (error) {
        signal.throwIfAborted();
        const reason = error instanceof Error ? error.message : String(error);
        return { ...nothing, failure: `${name} does not answer with its listing: ${reason}` };
      }
    }),
  );
}

/** The same without asking: symbols are taken as they are, and patterns can't be. */
export function assumeSymbols(config: Pick<FleetConfig, 'exchanges'>): ListedSymbols[] {
  return configured(config).map(([exchange, { symbols }]) => ({
    exchange,
    listed: null,
    instruments: symbols.filter((symbol) => !isPattern(symbol)).map((symbol) => assumed(exchange, symbol)),
    problems: symbols.filter(isPattern).map((pattern) => ({
      key: `exchanges.${exchange}.symbols`,
      source: null,
      problem: `has the pattern ${pattern}, which only the exchange's listing can resolve: leave out --offline`,
      nearest: null,
    })),
    failure: null,
  }));
}

function configured(config: Pick<FleetConfig, 'exchanges'>) {
  return EXCHANGES.flatMap((name) => {
    const exchange = config.exchanges[name];
    return exchange === undefined ? [] : [[name, exchange] as const];
  });
}

function lookUp(
  exchange: ExchangeName,
  symbols: readonly string[],
  listing: readonly Instrument[],
): { instruments: Instrument[]; problems: ConfigProblem[] } {
  const key = `exchanges.${exchange}.symbols`;
  const problems: ConfigProblem[] = [];
  const refuse = (problem: string, nearest: string | null = null): void => {
    problems.push({ key, source: null, problem, nearest });
  };
  const bySymbol = new Map<string, Instrument>();
  const isNamed = symbolMatcher(symbols.filter((symbol) => !isPattern(symbol)));
  const isMatched = symbolMatcher(symbols);
  const wanted = new Map<string, Instrument>();
  for (const instrument of listing) {
    const { symbol, status } = instrument;
    const other = bySymbol.get(symbol);
    bySymbol.set(symbol, instrument);
    // A pattern takes what is traded; a symbol by its name may be halted for a while.
    if (!isMatched(symbol) || (status !== 'trading' && !isNamed(symbol))) continue;
    if (other !== undefined && wanted.has(symbol)) {
      refuse(
        `has ${symbol}, which is two instruments there: ${other.exchangeSymbol} and ${instrument.exchangeSymbol}`,
      );
    }
    wanted.set(symbol, instrument);
  }
  for (const text of symbols) {
    if (isPattern(text)) {
      const matches = symbolMatcher([text]);
      if (![...wanted.keys()].some(matches))
        refuse(`has the pattern ${text}, which fits nothing that is traded there`);
    } else if (!bySymbol.has(text)) {
      refuse(`has ${text}, which ${exchange} does not list`, nearestListed(text, listing));
    }
  }
  return { instruments: [...wanted.values()], problems };
}

/** The symbol meant: the same name in another form, the exchange's own name, base and quote turned round, or else the fewest edits away. */
function nearestListed(text: string, listing: readonly Instrument[]): string | null {
  const letters = (name: string): string => name.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase();
  const turned = text.split(/[-_/]/).reverse().join('-');
  const same = listing.find(
    ({ symbol, exchangeSymbol }) =>
      letters(symbol) === letters(text) || letters(exchangeSymbol) === letters(text),
  );
  return (
    same?.symbol ??
    listing.find(({ symbol }) => symbol === turned)?.symbol ??
    fewestEdits(
      text,
      listing.map(({ symbol }) => symbol),
    )
  );
}

/** An instrument of which only the name is known, good for counting. */
function assumed(exchange: ExchangeName, symbol: string): Instrument {
  const [base = symbol, quote = ''] = symbol.split('-');
  return {
    exchange,
    symbol,
    exchangeSymbol: `${base}${quote}`,
    kind: 'spot',
    base,
    quote,
    settle: quote,
    status: 'trading',
    nativeStatus: '',
    priceIncrement: null,
    quantityIncrement: null,
    contractSize: null,
    inverse: false,
    expiry: null,
  };
}
