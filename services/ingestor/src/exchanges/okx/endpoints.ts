import type { Endpoints } from '../exchange.ts';

/**
 * OKX v5, production, global. EEA: `wss://wseea.okx.com:8443`; US: `wss://wsus.okx.com:8443`. They
 * differ in the instruments they list.
 */
export const endpoints: Endpoints = {
  websocket: 'wss://ws.okx.com:8443',
  rest: 'https://www.okx.com',
};
