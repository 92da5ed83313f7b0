import { type Instrument, lotSizeText, type Naming, tickSizeText } from '../catalogue.ts';

/** Spot instruments are named base, dash, quote. */
export const okxNaming: Naming = {
  native: (base, quote) => `${base}-${quote}`,
  mainQuote: 'USDT',
  crosses: [
    ['ETH', 'BTC'],
    ['BTC', 'USDC'],
    ['BTC', 'EUR'],
    ['BTC', 'USD'],
  ],
  oddBases: ['1INCH', 'SATS', 'ORDI'],
  btcPriceScale: 1,
  quantityScale: 8,
  maxScale: 18,
};

const restingState = ['suspend', 'preopen', 'test'];

/** One entry of `data` of `GET /api/v5/public/instruments?instType=SPOT` and of the `instruments` channel. */
export function listed(instrument: Instrument): Record<string, unknown> {
  const lot = lotSizeText(instrument);
  return {
    alias: '',
    auctionEndTime: '',
    baseCcy: instrument.base,
    category: '1',
    contTdSwTime: '1611907686000',
    ctMult: '',
    ctType: '',
    ctVal: '',
    ctValCcy: '',
    expTime: '',
    futureSettlement: false,
    groupId: '1',
    instCategory: '1',
    instFamily: '',
    instId: instrument.native,
    instIdCode: 10_000 + instrument.rank,
    instType: 'SPOT',
    lever: '10',
    listTime: '1611907686000',
    lotSz: lot,
    maxIcebergSz: '9999999999',
    maxLmtAmt: '20000000',
    maxLmtSz: '9999999999',
    maxMktAmt: '1000000',
    maxMktSz: '1000000',
    maxStopSz: '1000000',
    maxTriggerSz: '9999999999',
    maxTwapSz: '9999999999',
    minSz: lot,
    openType: 'call_auction',
    optType: '',
    quoteCcy: instrument.quote,
    ruleType: 'normal',
    settleCcy: '',
    state: instrument.trading ? 'live' : restingState[instrument.rank % restingState.length],
    stk: '',
    tickSz: tickSizeText(instrument),
    tradeQuoteCcyList: [instrument.quote],
    uly: '',
    upcChg: [],
  };
}
