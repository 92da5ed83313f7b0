/**
 * Writes a day of simulated trades to md.trades, so that the walk in docs/analysts.md can be gone without waiting for
 * a day. They look as a pod would have written them: exact digits, counting ids and sequences, keyed by symbol.
 *
 *     node examples/analysts/simulate-day.ts --brokers HOST:PORT --registry URL --date 2026-11-20
 */
import { parseArgs } from 'node:util';
import { avroType, frameValue, type Trade } from '@tickline/schemas';
import kafkajs from 'kafkajs';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: process.env.TICKLINE_KAFKA_BROKERS ?? '' },
    registry: { type: 'string', default: process.env.TICKLINE_REGISTRY_URL ?? '' },
    prefix: { type: 'string', default: 'md.' },
    date: { type: 'string' },
    /** Trades of each market. */
    trades: { type: 'string', default: '40000' },
  },
});
const dayStart = Date.parse(`${values.date}T00:00:00Z`) * 1000;
if (values.brokers === '' || values.registry === '' || Number.isNaN(dayStart)) {
  process.stderr.write('say --brokers HOST:PORT, --registry URL and --date 2026-11-20\n');
  process.exit(2);
}

/** A market: its price in hundredths, and how far that moves. */
const markets = [
  { exchange: 'binance', symbol: 'BTC-USDT', exchangeSymbol: 'BTCUSDT', cents: 9_641_250, step: 900 },
  { exchange: 'okx', symbol: 'BTC-USDT', exchangeSymbol: 'BTC-USDT', cents: 9_641_310, step: 900 },
  { exchange: 'kraken', symbol: 'ETH-USD', exchangeSymbol: 'ETH/USD', cents: 318_744, step: 60 },
] as const;
const micros = 86_400_000_000;
const count = Number(values.trades);

// The same day each time: a generator with a seed (mulberry32).
let seed = 20_261_120;
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

/** Times of a day's trades, in order: more of them around 15:00 UTC than in the night. */
function times(): number[] {
  const chosen: number[] = [];
  while (chosen.length < count) {
    const part = random();
    if (random() < 0.35 + 0.65 * Math.exp(-(((part - 0.625) / 0.18) ** 2)))
      chosen.push(Math.floor(part * micros));
  }
  return chosen.sort((a, b) => a - b);
}

function tradesOf({ exchange, symbol, exchangeSymbol, cents, step }: (typeof markets)[number]): Trade[] {
  let price = cents;
  return times().map((time, place) => {
    price += Math.round((random() + random() + random() - 1.5) * step);
    const hundredMillionths = String(1 + Math.floor(random() ** 4 * 250_000_000)).padStart(9, '0');
    return {
      exchange,
      symbol,
      exchangeSymbol,
      producer: 'simulated',
      session: 'simulated',
      exchangeTime: dayStart + time - 2_000,
      receiveTime: dayStart + time,
      sequence: place + 1,
      conflated: 0,
      price: `${Math.floor(price / 100)}.${String(price % 100).padStart(2, '0')}`,
      quantity: `${hundredMillionths.slice(0, -8)}.${hundredMillionths.slice(-8)}`,
      contracts: null,
      side: random() < 0.5 ? 'buy' : 'sell',
      tradeId: String(70_000_000 + place),
      fillCount: null,
    };
  });
}

const topic = `${values.prefix}trades`;
const answer = await fetch(
  `${values.registry}/subjects/${encodeURIComponent(`${topic}-value`)}/versions/latest`,
);
if (!answer.ok) throw new Error(`the registry answers ${answer.status} for ${topic}: run provision first`);
const { id } = (await answer.json()) as { id: number };
const type = avroType('trades');
const kafka = new kafkajs.Kafka({ brokers: values.brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();
const all = markets.flatMap(tradesOf).sort((a, b) => a.receiveTime - b.receiveTime);
for (let start = 0; start < all.length; start += 10_000) {
  const messages = all.slice(start, start + 10_000).map((trade) => ({
    key: trade.symbol,
    value: Buffer.from(frameValue(id, type.toBuffer(trade))),
    timestamp: String(Math.floor(trade.receiveTime / 1000)),
  }));
  await producer.send({ topic, messages });
}
await producer.disconnect();
process.stdout.write(`${all.length.toLocaleString('en')} trades of ${values.date} are in ${topic}\n`);
