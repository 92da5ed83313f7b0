import type { Endpoints } from '../exchange.ts';

/** Kraken spot, WebSocket v2. There is no test network; the listing too comes by the socket. */
export const endpoints: Endpoints = {
  websocket: 'wss://ws.kraken.com',
  rest: 'https://api.kraken.com',
};
