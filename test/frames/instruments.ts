import type { ExchangeName } from '@tickline/schemas';
import type { Instrument } from '../../services/ingestor/src/exchanges/instrument.ts';

function instrument(
  exchange: ExchangeName,
  exchangeSymbol: string,
  base: string,
  quote: string,
  changes: Partial<Instrument> = {},
): Instrument {
  return {
    exchange,
    symbol: `${base}-${quote}`,
    exchangeSymbol,
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
    ...changes,
  };
}

/** The instruments that our own frames are of. */
export const frameInstruments: Readonly<Record<ExchangeName, readonly Instrument[]>> = {
  binance: [
    instrument('binance', 'BTCUSDT', 'BTC', 'USDT'),
    instrument('binance', 'ETHUSDT', 'ETH', 'USDT'),
    instrument('binance', '币安人生USDT', '币安人生', 'USDT'),
  ],
  'bybit-spot': [
    instrument('bybit-spot', 'BTCUSDT', 'BTC', 'USDT'),
    instrument('bybit-spot', 'BTCUSD', 'BTC', 'USD', { kind: 'perpetual', contractSize: '1', inverse: true }),
  ],
  okx: [
    instrument('okx', 'BTC-USDT', 'BTC', 'USDT'),
    instrument('okx', 'BTC-USDT-SWAP', 'BTC', 'USDT', { kind: 'perpetual', contractSize: '0.01' }),
    instrument('okx', 'BTC-USD-SWAP', 'BTC', 'USD', {
      kind: 'perpetual',
      contractSize: '100',
      inverse: true,
    }),
    instrument('okx', 'BTC-USD-261225', 'BTC', 'USD', { kind: 'future', contractSize: '100', inverse: true }),
  ],
  kraken: [instrument('kraken', 'BTC/USD', 'BTC', 'USD')],
};
