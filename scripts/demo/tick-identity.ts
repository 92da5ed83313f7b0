import {
  parseAvroSchema,
  type Quote,
  type SchemaSource,
  schemaIdOf,
  schemaText,
  type TickChannel,
  type Trade,
} from '@tickline/schemas';
import type { SequencedTick } from './sequence-count.ts';

/** What both a ledger entry and a record know a tick by. */
export interface TickNames {
  readonly channel: TickChannel;
  readonly exchangeSymbol: string;
  /** Trade id or update id; null where the exchange gives none (Kraken's quotes). */
  readonly id: string | null;
  /** Microseconds since 1970; unique within a symbol of Kraken's. */
  readonly exchangeTime: number | null;
}

/** The same text for the ledger's entry and the record of one tick, unique within its exchange. */
export function tickIdentity({ channel, exchangeSymbol, id, exchangeTime }: TickNames): string {
  return `${channel === 'trades' ? 't' : 'q'} ${exchangeSymbol} ${id ?? `@${exchangeTime}`}`;
}

/** The few fields of a record that identify, number and date it. */
export interface TickStamp extends SequencedTick {
  readonly exchangeSymbol: string;
  readonly exchangeTime: number | null;
  readonly receiveTime: number;
  readonly id: string | null;
}

const idFields = { trades: 'tradeId', quotes: 'updateId' } as const;
const stampFields = [
  'exchange',
  'symbol',
  'exchangeSymbol',
  'producer',
  'exchangeTime',
  'receiveTime',
  'sequence',
  'conflated',
];
const HEADER_BYTES = 5;

type Stamped = Omit<TickStamp, 'id'> & { readonly tradeId?: string; readonly updateId?: string | null };

/** The stamp of a record that is decoded already. */
export function stampOf(channel: TickChannel, record: Stamped | Trade | Quote): TickStamp {
  const { tradeId, updateId } = record as Stamped;
  const { exchange, symbol, exchangeSymbol, producer, exchangeTime, receiveTime, sequence, conflated } =
    record;
  const id = (channel === 'trades' ? tradeId : updateId) ?? null;
  return { exchange, symbol, exchangeSymbol, producer, exchangeTime, receiveTime, sequence, conflated, id };
}

/**
 * Reads stamps out of values of one topic by Avro's schema resolution: the writer's schema comes from the
 * registry, the reader's holds only the wanted fields, so that the others are skipped, not built.
 */
export class StampReader {
  readonly #channel: TickChannel;
  readonly #source: SchemaSource;
  readonly #reader: ReturnType<typeof parseAvroSchema>;
  readonly #resolvers = new Map<number, ReturnType<ReturnType<typeof parseAvroSchema>['createResolver']>>();

  constructor(channel: TickChannel, source: SchemaSource) {
    this.#channel = channel;
    this.#source = source;
    const schema = JSON.parse(schemaText(channel)) as { fields: { name: string }[] };
    const wanted = new Set<string>([...stampFields, idFields[channel]]);
    schema.fields = schema.fields.filter(({ name }) => wanted.has(name));
    this.#reader = parseAvroSchema(JSON.stringify(schema));
  }

  /** Fetches the writers' schemas that these values need, once each. Rejects with the source's error. */
  async prepare(values: Iterable<Uint8Array>): Promise<void> {
    for (const value of values) {
      const id = schemaIdOf(value);
      if (this.#resolvers.has(id)) continue;
      this.#resolvers.set(id, this.#reader.createResolver(parseAvroSchema(await this.#source(id))));
    }
  }

  /** Throws when the value was not prepared or does not fit its schema. */
  read(value: Buffer): TickStamp {
    const resolver = this.#resolvers.get(schemaIdOf(value));
    if (resolver === undefined) throw new Error('the schema of this value was not prepared');
    return stampOf(this.#channel, this.#reader.fromBuffer(value.subarray(HEADER_BYTES), resolver) as Stamped);
  }
}
