import { TRADE_ID_RULES } from '@tickline/schemas';
import type { Exchange } from '../exchange.ts';
import { BybitDecoder } from './decoder.ts';
import { endpoints } from './endpoints.ts';
import { fetchInstruments, parseInstruments } from './instruments.ts';
import { heartbeat, limits } from './limits.ts';
import { socketUrl, subscribe, topic, unsubscribe } from './requests.ts';

/** Bybit v5, spot. */
export const bybitSpot: Exchange = {
  name: 'bybit-spot',
  channels: ['trades', 'quotes'],
  endpoints,
  limits,
  heartbeat,
  tradeIds: TRADE_ID_RULES['bybit-spot'],
  socketUrl,
  topic,
  subscribe,
  unsubscribe,
  createDecoder: (instruments) => new BybitDecoder(instruments),
  fetchInstruments,
  parseInstruments,
};
