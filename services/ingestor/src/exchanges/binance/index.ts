import { TRADE_ID_RULES } from '@tickline/schemas';
import type { Exchange } from '../exchange.ts';
import { BinanceDecoder } from './decoder.ts';
import { endpoints } from './endpoints.ts';
import { fetchInstruments, parseInstruments } from './instruments.ts';
import { heartbeat, limits } from './limits.ts';
import { socketUrl, subscribe, topic, unsubscribe } from './requests.ts';

/** Binance spot. */
export const binance: Exchange = {
  name: 'binance',
  channels: ['trades', 'quotes'],
  endpoints,
  limits,
  heartbeat,
  tradeIds: TRADE_ID_RULES.binance,
  socketUrl,
  topic,
  subscribe,
  unsubscribe,
  createDecoder: (instruments) => new BinanceDecoder(instruments),
  fetchInstruments,
  parseInstruments,
};
