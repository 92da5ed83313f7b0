import { avroType, frameValue, schemaText, writeSignedVarint } from '@tickline/schemas';
import type { Stack } from '../../../scripts/stack/stack.ts';
import { KafkaSink } from '../../../services/ingestor/src/sinks/kafka/kafka-sink.ts';
import { EncodedTick } from '../../../services/ingestor/src/sinks/sink.ts';
import { SILENT_LOG } from '../../../services/ingestor/src/sinks/sink-log.ts';
import { WriterSchema } from '../../../services/replay/src/reading/writer-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { tradeAt } from './topic-writer.ts';

/** Symbols among which trades go around; their keys fall on all of a few partitions. */
const SYMBOLS = 40;
const MOST_WAITING = 100_000;

/** What is written. */
export interface WantedFlow {
  readonly topicPrefix: string;
  readonly schemaId: number;
  readonly count: number;
  /** Receive time of the first trade, and the distance to each next one; microseconds. */
  readonly start: number;
  readonly step: number;
}

/** Writes trades of rising receive times to `trades` through the ingestor's own sink, which takes millions in seconds. */
export async function writeTrades(
  stack: Stack,
  { topicPrefix, schemaId, count, start, step }: WantedFlow,
): Promise<void> {
  const sink = new KafkaSink({
    brokers: stack.brokers,
    clientId: 'trade-flow',
    access: () => ({ ssl: null, sasl: null }),
    topicPrefix,
    topics: ['trades'],
    log: SILENT_LOG,
  });
  const lost: string[] = [];
  await sink.start({
    full: () => undefined,
    drained: () => undefined,
    lost: ({ key }) => lost.push(key),
    repeated: () => undefined,
  });
  const streams = Array.from({ length: SYMBOLS }, (_, number) => {
    const symbol = `S${number}-USDT`;
    const bytes = frameValue(schemaId, avroType('trades').toBuffer(tradeAt(start, { symbol })));
    const at = placesOf(schemaId, bytes);
    const stream = sink.stream({
      topic: 'trades',
      exchange: 'binance',
      symbol,
      channel: 'trades',
      key: symbol,
      overflow: 'keep',
    });
    return { bytes, stream, ...at };
  });
  const tick = new EncodedTick();
  for (let sent = 0; sent < count; sent++) {
    const { bytes, stream, receiveTime, conflated } = streams[sent % SYMBOLS]!;
    const time = start + sent * step;
    // Times of one era have varints of one length.
    writeSignedVarint(bytes, receiveTime, time);
    tick.bytes = bytes;
    tick.end = bytes.length;
    tick.conflatedAt = conflated;
    tick.timestampMs = Math.floor(time / 1000);
    tick.sequence = sent + 1;
    if (!stream.append(tick)) throw new Error('the sink is full');
    if (sent % MOST_WAITING === MOST_WAITING - 1) {
      await eventually('trades are acknowledged', () => sink.counters.records > sent - MOST_WAITING);
    }
  }
  if (!(await sink.flush(60_000)) || lost.length > 0) throw new Error('not all trades were written');
  await sink.close();
}

function placesOf(schemaId: number, bytes: Buffer): { receiveTime: number; conflated: number } {
  const schema = new WriterSchema(schemaId, schemaText('trades'));
  const at = new Int32Array(schema.fields.length + 1);
  if (!schema.walk.walk(bytes, 5, bytes.length, at)) throw new Error('the trade does not fit its schema');
  return { receiveTime: at[schema.indexOf('receiveTime')]!, conflated: at[schema.indexOf('conflated')]! };
}
