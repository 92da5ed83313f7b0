import type { Endpoints } from '../exchange.ts';

/** Bybit v5, production (docs/v5/websocket/wss-authentication.mdx). Regional hosts exist for accounts registered there. */
export const endpoints: Endpoints = {
  websocket: 'wss://stream.bybit.com',
  rest: 'https://api.bybit.com',
};
