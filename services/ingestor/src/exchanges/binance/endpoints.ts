import type { Endpoints } from '../exchange.ts';

/**
 * Binance spot, production, the hosts for market data only (faqs/market_data_only.md of
 * binance-spot-api-docs): the same streams and the listing, also where `api.binance.com` is blocked.
 * The general hosts are `wss://stream.binance.com:9443` and `https://api.binance.com`.
 */
export const endpoints: Endpoints = {
  websocket: 'wss://data-stream.binance.vision',
  rest: 'https://data-api.binance.vision',
};
