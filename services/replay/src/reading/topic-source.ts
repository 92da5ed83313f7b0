import { isTickChannel, RECORD_TOPICS, type RecordTopic, schemaText, valueSubject } from '@tickline/schemas';
import type { Cluster } from '../connection/cluster.ts';
import { ConnectionError } from '../connection/connection-error.ts';
import type { Registry } from '../connection/registry.ts';
import type { FetchCluster } from './fetch-pool.ts';
import type { PartitionRange } from './records.ts';
import { WriterSchema } from './writer-schema.ts';

/** A partition as the cluster has it now. */
export interface PartitionBounds {
  readonly partition: number;
  /** First offset that is still there. */
  readonly low: number;
  /** Offset of the next record that will be written. */
  readonly high: number;
}

/** The topics of one cluster and the schemas of one registry; closed by who made it. */
export class TopicSource implements FetchCluster {
  readonly cluster: Cluster;
  /** Null: no registry is set, and no value can be read. */
  readonly registry: Registry | null;
  private readonly schemas = new Map<number, Promise<WriterSchema | null>>();

  constructor(cluster: Cluster, registry: Registry | null) {
    this.cluster = cluster;
    this.registry = registry;
  }

  leaders(topic: string, refresh: boolean): Promise<ReadonlyMap<number, number>> {
    return this.cluster.leaders(topic, refresh);
  }

  fetch(nodeId: number, body: Buffer, maxWaitMs: number): Promise<Buffer> {
    return this.cluster.fetch(nodeId, body, maxWaitMs);
  }

  /** Bounds of all partitions of a topic, in their order. Rejects with UnknownTopicError, which names the nearest topics. */
  bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return this.cluster.bounds(topic);
  }

  /**
   * The ranges that hold every record of a topic whose receive time lies in [fromMs, toMs): from the first offset
   * at `fromMs` to the first one at `toMs + reorderWindowMs`, because records of different pods are a little out of
   * order. Partitions without any are left out. null: no bound; the end is then what is there now.
   */
  async rangesByTime(
    topic: string,
    fromMs: number | null,
    toMs: number | null,
    reorderWindowMs: number,
  ): Promise<PartitionRange[]> {
    const bounds = await this.bounds(topic);
    const starts = fromMs === null ? null : await this.cluster.offsetsAt(topic, fromMs);
    const ends = toMs === null ? null : await this.cluster.offsetsAt(topic, toMs + reorderWindowMs);
    return bounds
      .map(({ partition, low, high }) => ({
        topic,
        partition,
        // No record so late: nothing, or up to the end.
        start: starts === null ? low : (starts.get(partition) ?? high),
        end: ends === null ? high : (ends.get(partition) ?? high),
      }))
      .filter(({ start, end }) => start < end);
  }

  /**
   * The schema of an id, asked for once; null when the registry does not have it. Rejects with SchemaError when it
   * is none of a record.
   */
  schemaOf(id: number): Promise<WriterSchema | null> {
    let schema = this.schemas.get(id);
    if (schema === undefined) {
      schema = this.findSchema(id);
      this.schemas.set(id, schema);
    }
    return schema;
  }

  /**
   * What readers resolve to: the newest schema of a topic that is registered, or this build's where none is.
   */
  async readerSchema(topic: string): Promise<{ readonly text: string }> {
    const latest = await this.needRegistry().latestSchema(valueSubject(topic));
    if (latest !== null) return { text: latest.text };
    const known = this.knownTopic(topic);
    if (known !== null) return { text: schemaText(known) };
    throw new ConnectionError(
      `the schema registry (registry.url) has no schema of ${topic}: is this the registry of these topics?`,
      'registry.url',
    );
  }

  /** The topic of ours that a full name is; null: another one, or one without records. */
  knownTopic(topic: string): RecordTopic | null {
    const { topicPrefix } = this.cluster;
    const name = topic.startsWith(topicPrefix) ? topic.slice(topicPrefix.length) : '';
    return RECORD_TOPICS.find((known) => known === name) ?? null;
  }

  /** Whether keys of this topic are symbols, as those of all ticks are. */
  isKeyedBySymbol(topic: string): boolean {
    return isTickChannel(this.knownTopic(topic) ?? '');
  }

  async close(): Promise<void> {
    this.registry?.close();
    await this.cluster.close();
  }

  private async findSchema(id: number): Promise<WriterSchema | null> {
    const text = await this.needRegistry().schemaText(id);
    return text === null ? null : new WriterSchema(id, text);
  }

  private needRegistry(): Registry {
    if (this.registry !== null) return this.registry;
    throw new ConnectionError(
      'registry.url is not set, and values can be read only with the schemas of a registry: give --registry.url',
      'registry.url',
    );
  }
}
