/**
 * Values positions at the last quotes of Tickline's topics, and says which of them are stale.
 *
 *     node examples/typescript-risk/risk.ts --brokers 127.0.0.1:9092 --registry http://127.0.0.1:8081 \
 *       --position okx:BTC-USDT=-1.5
 *
 * It goes on where its group stopped: offsets are committed after each report. Before that place it reads the last
 * records once more (--warm-up), so that quotes and recent trade ids are known again at once.
 */
import { parseArgs } from 'node:util';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { RecordReader } from '@tickline/schemas';
import kafkajs from 'kafkajs';
import { SymbolState } from './symbol-state.ts';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string' },
    registry: { type: 'string' },
    prefix: { type: 'string', default: 'md.' },
    group: { type: 'string', default: 'risk-example' },
    /** EXCHANGE:SYMBOL=QUANTITY, a holding in the base asset. */
    position: { type: 'string', multiple: true, default: [] },
    /** Seconds at which a quote is stale, from one report to the next, and without records until it ends. */
    'stale-after': { type: 'string', default: '60' },
    every: { type: 'string', default: '1' },
    'exit-when-idle': { type: 'string' },
    'warm-up': { type: 'string', default: '2000' },
    'from-beginning': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
if (values.brokers === undefined || values.registry === undefined) {
  process.stderr.write('risk: say --brokers host:port and --registry URL\n');
  process.exit(2);
}
const prefix = values.prefix;
const warmUp = BigInt(values['warm-up']);
const [staleAfterMs, everyMs] = [Number(values['stale-after']) * 1000, Number(values.every) * 1000];
const idleMs = values['exit-when-idle'] === undefined ? null : Number(values['exit-when-idle']) * 1000;
const positions = new Map(values.position.map(readPosition));

// kafkajs reads gzip by itself; Tickline may be set to zstd.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer),
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
});
const kafka = new kafkajs.Kafka({
  clientId: 'risk-example',
  brokers: values.brokers.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
});
const registryUrl = values.registry;
const schemaText = async (id: number) => {
  const answer = await fetch(`${registryUrl}/schemas/ids/${id}`);
  if (!answer.ok) throw new Error(`the registry answers ${answer.status} for schema ${id}`);
  return ((await answer.json()) as { schema: string }).schema;
};
const readers = {
  trades: new RecordReader('trades', schemaText),
  quotes: new RecordReader('quotes', schemaText),
  status: new RecordReader('status', schemaText),
};
const topics = Object.keys(readers).map((channel) => prefix + channel);

/** `exchange:symbol` → state. */
const symbols = new Map<string, SymbolState>();
/** `topic/partition` → the first offset that no former run has counted. */
const countedFrom = new Map<string, bigint>();
/** `topic/partition` → where a restart goes on. */
const nextOffset = new Map<string, bigint>();
let quietSince = Date.now();

const admin = kafka.admin();
const consumer = kafka.consumer({ groupId: values.group, maxWaitTimeInMs: 200 });

/** Goes to the place of each partition that we were given, and before it by the warm-up. */
async function seekToStart(assignment: Readonly<Record<string, readonly number[]>>): Promise<void> {
  const committed = await admin.fetchOffsets({ groupId: values.group, topics });
  nextOffset.clear();
  for (const [topic, partitions] of Object.entries(assignment)) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (!partitions.includes(partition)) continue;
      const known = committed
        .find((each) => each.topic === topic)
        ?.partitions.find((each) => each.partition === partition)?.offset;
      const from = known !== undefined && known !== '-1' ? known : values['from-beginning'] ? low : high;
      countedFrom.set(`${topic}/${partition}`, BigInt(from));
      nextOffset.set(`${topic}/${partition}`, BigInt(from));
      const warm = BigInt(from) - warmUp;
      consumer.seek({ topic, partition, offset: warm > BigInt(low) ? String(warm) : low });
    }
  }
}

let atStart: Promise<void> = Promise.resolve();
consumer.on('consumer.group_join', ({ payload }) => {
  atStart = seekToStart(payload.memberAssignment);
});

async function take(topic: string, partition: number, offset: bigint, value: Buffer): Promise<void> {
  const place = `${topic}/${partition}`;
  const counts = offset >= (countedFrom.get(place) ?? 0n);
  const channel = topic.slice(prefix.length);
  if (channel === 'quotes') {
    const quote = await readers.quotes.read(value);
    stateOf(quote).takeQuote(quote);
  } else if (channel === 'trades') {
    const trade = await readers.trades.read(value);
    stateOf(trade).takeTrade(trade, counts);
  } else {
    const status = await readers.status.read(value);
    stateOf(status).takeStatus(status, counts);
  }
  if (counts) nextOffset.set(place, offset + 1n);
}

function stateOf({ exchange, symbol }: { readonly exchange: string; readonly symbol: string }): SymbolState {
  const unit = `${exchange}:${symbol}`;
  let state = symbols.get(unit);
  if (state === undefined) {
    state = new SymbolState();
    symbols.set(unit, state);
  }
  return state;
}

async function commit(): Promise<void> {
  const offsets = [...nextOffset].map(([place, offset]) => {
    const slash = place.lastIndexOf('/');
    return {
      topic: place.slice(0, slash),
      partition: Number(place.slice(slash + 1)),
      offset: String(offset),
    };
  });
  if (offsets.length > 0) await consumer.commitOffsets(offsets);
}

function report(): void {
  const units = [...new Set([...symbols.keys(), ...positions.keys()])].sort();
  const rows = units.map((unit) => {
    const [exchange = '', symbol = ''] = unit.split(/:(.*)/s);
    const state = symbols.get(unit) ?? new SymbolState();
    return state.row(exchange, symbol, positions.get(unit) ?? '0', Date.now(), staleAfterMs);
  });
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else console.table(rows, ['exchange', 'symbol', 'bid', 'ask', 'price', 'position', 'value', 'trouble']);
}

/** `okx:BTC-USDT=-1.5` → unit and quantity. */
function readPosition(text: string): [string, string] {
  const match = /^([^:=]+:.+)=(-?\d+(?:\.\d+)?)$/.exec(text);
  if (match !== null) return [match[1]!, match[2]!];
  process.stderr.write(`risk: ${text} is not a position such as okx:BTC-USDT=-1.5\n`);
  process.exit(2);
}

const stopping = new AbortController();
const stop = () => stopping.abort();
process.once('SIGINT', stop).once('SIGTERM', stop);
consumer.on('consumer.crash', ({ payload }) => {
  process.stderr.write(`risk: ${payload.error.message}\n`);
  process.exitCode = 1;
  if (!payload.restart) stop();
});

await admin.connect();
await consumer.connect();
await consumer.subscribe({ topics });
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch, heartbeat, isRunning, isStale }) => {
    await atStart;
    for (const message of batch.messages) {
      if (!isRunning() || isStale()) return;
      const value = message.value ?? Buffer.alloc(0);
      await take(batch.topic, batch.partition, BigInt(message.offset), value);
      quietSince = Date.now();
    }
    await heartbeat();
  },
});
let reportAt = Date.now() + everyMs;
while (!stopping.signal.aborted) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const idle = idleMs !== null && Date.now() - quietSince >= idleMs;
  if (Date.now() < reportAt && !idle) continue;
  report();
  await commit();
  reportAt = Date.now() + everyMs;
  if (idle) break;
}
await commit();
await consumer.disconnect();
await admin.disconnect();
