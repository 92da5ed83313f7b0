import type { ExchangeName } from '@tickline/schemas';
import type { Instrument, InstrumentKind } from './instrument.ts';

/**
 * An instrument made up from a name alone (`decode --any-instrument`): both names are the exchange's,
 * nothing else is known. OKX names tell what is counted in contracts, whose size then is unknown.
 */
export function unlistedInstrument(exchange: ExchangeName, exchangeSymbol: string): Instrument {
  return {
    exchange,
    symbol: exchangeSymbol,
    exchangeSymbol,
    kind: exchange === 'okx' ? okxKind(exchangeSymbol) : 'spot',
    base: '',
    quote: '',
    settle: '',
    status: 'other',
    nativeStatus: '',
    priceIncrement: null,
    quantityIncrement: null,
    contractSize: null,
    inverse: false,
    expiry: null,
  };
}

/** `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USDT-260925`, and options, which are dated too: `BTC-USD-260925-60000-C`. */
function okxKind(exchangeSymbol: string): InstrumentKind {
  if (exchangeSymbol.endsWith('-SWAP')) return 'perpetual';
  return /-[0-9]{6}(-|$)/.test(exchangeSymbol) ? 'future' : 'spot';
}
