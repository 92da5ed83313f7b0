import { TRADE_ID_RULES } from '@tickline/schemas';
import type { Exchange } from '../exchange.ts';
import { KrakenDecoder } from './decoder.ts';
import { endpoints } from './endpoints.ts';
import { fetchInstruments, parseInstruments } from './instruments.ts';
import { heartbeat, limits } from './limits.ts';
import { socketUrl, subscribe, topic, unsubscribe } from './requests.ts';

/** Kraken spot, WebSocket v2. */
export const kraken: Exchange = {
  name: 'kraken',
  channels: ['trades', 'quotes'],
  endpoints,
  limits,
  heartbeat,
  tradeIds: TRADE_ID_RULES.kraken,
  socketUrl,
  topic,
  subscribe,
  unsubscribe,
  createDecoder: (instruments) => new KrakenDecoder(instruments),
  fetchInstruments,
  parseInstruments,
};
