import type { TickChannel } from '@tickline/schemas';
import type { Topic } from '../exchange.ts';
import type { Instrument } from '../instrument.ts';

const TOPICS: Readonly<Record<TickChannel, string>> = { trades: 'publicTrade', quotes: 'orderbook.1' };
/** Quotes and comma around each topic count too. */
const CHARACTERS_AROUND_TOPIC = 3;

/** The category is chosen by the path alone. */
export function socketUrl(websocketBase: string): string {
  return `${websocketBase.replace(/\/+$/, '')}/v5/public/spot`;
}

/** `publicTrade.BTCUSDT`, `orderbook.1.BTCUSDT` */
export function topic(channel: TickChannel, instrument: Instrument): Topic {
  const name = `${TOPICS[channel]}.${instrument.exchangeSymbol}`;
  return { name, channel, instrument, requestGroup: '', characters: name.length + CHARACTERS_AROUND_TOPIC };
}

export function subscribe(topics: readonly Topic[], request: number): string {
  return frame('subscribe', topics, request);
}

export function unsubscribe(topics: readonly Topic[], request: number): string {
  return frame('unsubscribe', topics, request);
}

function frame(op: string, topics: readonly Topic[], request: number): string {
  return JSON.stringify({ req_id: String(request), op, args: topics.map(({ name }) => name) });
}
