import { TRADE_ID_RULES } from '@tickline/schemas';
import type { Exchange } from '../exchange.ts';
import { OkxDecoder } from './decoder.ts';
import { endpoints } from './endpoints.ts';
import { fetchInstruments, parseInstruments } from './instruments.ts';
import { heartbeat, limits } from './limits.ts';
import { socketUrl, subscribe, topic, unsubscribe } from './requests.ts';

/** OKX v5; spot instruments are subscribed, swaps and futures decode. */
export const okx: Exchange = {
  name: 'okx',
  channels: ['trades', 'quotes'],
  endpoints,
  limits,
  heartbeat,
  tradeIds: TRADE_ID_RULES.okx,
  socketUrl,
  topic,
  subscribe,
  unsubscribe,
  createDecoder: (instruments) => new OkxDecoder(instruments),
  fetchInstruments,
  parseInstruments,
};
