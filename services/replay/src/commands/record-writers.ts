import type { RecordTopic } from '@tickline/schemas';
import { SettingsError } from '../connection/settings-error.ts';
import { jsonRecordLines } from '../output/record-lines.ts';
import { RecordTable } from '../output/record-table.ts';
import { wantsColours } from '../output/table.ts';
import type { TimeStyle } from '../output/time.ts';
import type { RecordView } from '../reading/records.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { topicOf } from './record-selection.ts';
import type { World } from './world.ts';

/** How records are written. */
export interface RecordStyle {
  readonly isTable: boolean;
  /** Null: a table's times are UTC, JSON's microseconds. */
  readonly time: TimeStyle | null;
}

/** Lines that are collected and then written at once. */
interface LineCollector {
  readonly isEmpty: boolean;
  readonly isFull: boolean;
  append(view: RecordView): void;
  take(): string | Uint8Array;
}

/** Writes records of one or several topics to standard output, in the order in which they are given. */
export class RecordWriters {
  private readonly world: World;
  private readonly collectors: ReadonlyMap<string, LineCollector>;
  private current: LineCollector | null = null;
  /** What was collected before the topic changed, in its order. */
  private readonly waiting: Buffer[] = [];
  private waitingBytes = 0;

  private constructor(world: World, collectors: ReadonlyMap<string, LineCollector>) {
    this.world = world;
    this.collectors = collectors;
  }

  /** Asks the registry for the newest schema of each channel. */
  static async open(
    source: TopicSource,
    channels: readonly RecordTopic[],
    style: RecordStyle,
    world: World,
  ): Promise<RecordWriters> {
    if (!style.isTable && style.time !== null && style.time !== 'utc') {
      throw new SettingsError(
        `--time ${style.time} is for tables: JSON has microseconds since 1970, or ISO text with --time utc`,
      );
    }
    const collectors = new Map<string, LineCollector>();
    for (const channel of channels) {
      const topic = topicOf(channel, source.cluster.topicPrefix);
      const { text } = await source.readerSchema(topic);
      const named = channels.length > 1 ? channel : null;
      collectors.set(topic, collectorOf(channel, text, named, style, world));
    }
    return new RecordWriters(world, collectors);
  }

  /** Adds a record. Throws UnreadableRecordError. */
  append(view: RecordView): void {
    const collector = this.collectors.get(view.topic)!;
    if (this.current !== collector) {
      this.put(this.current);
      this.current = collector;
    }
    collector.append(view);
  }

  /** Whether it is time to write: only then `flush` need be called. */
  get isFull(): boolean {
    return this.waitingBytes >= MOST_WAITING || (this.current?.isFull ?? false);
  }

  /** Writes what was collected; undefined when there was nothing. Nothing may be appended until it resolves. */
  flush(): Promise<void> | undefined {
    const { current, waiting, world } = this;
    // Of one topic the collector's bytes go out as they are.
    if (waiting.length === 0)
      return current === null || current.isEmpty ? undefined : world.stdout.write(current.take());
    this.put(current);
    this.waitingBytes = 0;
    return world.stdout.write(Buffer.concat(waiting.splice(0)));
  }

  private put(collector: LineCollector | null): void {
    if (collector === null || collector.isEmpty) return;
    // A copy: bytes of a collector are valid until it goes on.
    const chunk = Buffer.from(collector.take());
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
  }
}

const MOST_WAITING = 256 * 1024;

function collectorOf(
  channel: RecordTopic,
  schema: string,
  named: string | null,
  { isTable, time }: RecordStyle,
  world: World,
): LineCollector {
  if (isTable) {
    const colours = wantsColours(world.stdout.isTTY, world.env);
    return new RecordTable(channel, schema, time ?? 'utc', colours, world.now);
  }
  return jsonRecordLines(schema, time === null ? 'micros' : 'iso', named);
}
