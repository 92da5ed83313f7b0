import type { Status } from '@tickline/schemas';
import { parseAvroSchema, topicName } from '@tickline/schemas';
import { readRange } from '../reading/read-range.ts';
import {
  type PartitionRange,
  type RecordFilter,
  type SkippedRecords,
  UnreadableRecordError,
} from '../reading/records.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import type { WriterSchema } from '../reading/writer-schema.ts';
import { concernsAudit, ToldLosses } from './told-losses.ts';

/** A gap is told when the flow is back, which may be long after it began. */
const TOLD_LATER_MS = 3_600_000;

/** What of `md.status` is read. Times are microseconds; null: no bound. */
export interface ToldSelection {
  readonly fromMicros: number | null;
  readonly toMicros: number | null;
  readonly exchanges: readonly string[];
  readonly symbols: readonly string[];
  readonly skipped: (records: SkippedRecords) => void;
  readonly signal: AbortSignal;
}

/** Reads what `md.status` tells of losses around a span of time. A cluster without the topic told of none. */
export async function readToldLosses(source: TopicSource, selection: ToldSelection): Promise<ToldLosses> {
  const losses = new ToldLosses();
  const { fromMicros, toMicros, exchanges, symbols } = selection;
  const until = toMicros === null ? null : toMicros + TOLD_LATER_MS * 1000;
  const filter: RecordFilter = { symbols, exchanges, fromMicros, toMicros: until };
  const types = new Map<WriterSchema, ReturnType<typeof parseAvroSchema>>();
  await readRange(source, {
    ranges: await statusRanges(source, fromMicros, until),
    order: 'any',
    filter,
    skipped: selection.skipped,
    signal: selection.signal,
    visitor: {
      record({ schema, bytes, at, valueEnd }) {
        let type = types.get(schema);
        if (type === undefined) {
          type = parseAvroSchema(schema.text);
          types.set(schema, type);
        }
        let status: Status;
        try {
          status = type.fromBuffer(bytes.subarray(at[0], valueEnd)) as Status;
        } catch (error) {
          throw new UnreadableRecordError((error as Error).message);
        }
        if (concernsAudit(status.state)) losses.add(status);
      },
    },
  });
  return losses;
}

async function statusRanges(
  source: TopicSource,
  fromMicros: number | null,
  toMicros: number | null,
): Promise<PartitionRange[]> {
  const topic = topicName(source.cluster.topicPrefix, 'status');
  const topics = await source.cluster.topics();
  if (!topics.some(({ name }) => name === topic)) return [];
  const ms = (micros: number | null) => (micros === null ? null : Math.floor(micros / 1000));
  return source.rangesByTime(topic, ms(fromMicros), ms(toMicros), 0);
}
