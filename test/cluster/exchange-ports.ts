import type { ExchangeName } from '../exchanges/ledger.ts';

/** Where other pods find each simulated exchange, WebSocket and REST. */
export const marketPorts: Readonly<Record<ExchangeName, number>> = {
  binance: 9001,
  'bybit-spot': 9002,
  okx: 9003,
  kraken: 9004,
};

/** Where each is steered and asked for its ledger, from within its pod. */
export const controlPorts: Readonly<Record<ExchangeName, number>> = {
  binance: 9101,
  'bybit-spot': 9102,
  okx: 9103,
  kraken: 9104,
};
