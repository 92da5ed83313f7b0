import avsc from 'avsc';
import { formatUnscaled, parseUnscaled, unscaledFromBytes, unscaledToBytes } from './decimal.ts';
import { type RecordTopic, schemaText } from './schema-text.ts';

/** Avro `decimal` as plain text: exact in both directions, no float between. */
export class DecimalLogicalType extends avsc.types.LogicalType {
  protected override _fromValue(bytes: Buffer): string {
    return formatUnscaled(unscaledFromBytes(bytes));
  }

  protected override _toValue(text: unknown): Buffer | undefined {
    return typeof text === 'string' ? Buffer.from(unscaledToBytes(parseUnscaled(text))) : undefined;
  }

  /** How a writer's type reads: avsc hands over a decimal converted already, and bytes as they are. */
  protected override _resolve(type: avsc.Type): ((value: never) => string) | undefined {
    if (avsc.Type.isType(type, 'logical:decimal')) return (text: string) => text;
    return avsc.Type.isType(type, 'bytes') ? (bytes: Buffer) => this._fromValue(bytes) : undefined;
  }
}

/** Avro `timestamp-micros` as microseconds in a number: exact until the year 2255. */
export class TimestampMicrosLogicalType extends avsc.types.LogicalType {
  protected override _fromValue(micros: number): number {
    return micros;
  }

  protected override _toValue(micros: unknown): number | undefined {
    return typeof micros === 'number' && Number.isSafeInteger(micros) ? micros : undefined;
  }

  protected override _resolve(type: avsc.Type): ((micros: number) => number) | undefined {
    return avsc.Type.isType(type, 'logical:timestamp-micros', 'long') ? (micros) => micros : undefined;
  }
}

/**
 * The avsc type of a schema's text: decimals as plain text, times as numbers, and plain values in
 * place of union wrappers.
 */
export function parseAvroSchema(text: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(text), {
    logicalTypes: { decimal: DecimalLogicalType, 'timestamp-micros': TimestampMicrosLogicalType },
    wrapUnions: false,
    // Of its own for each schema: avsc refuses a second type of one name in a registry.
    registry: {},
  });
}

/** The avsc type of a topic's record: the reader, and the oracle of our own writer in tests. */
export function avroType(topic: RecordTopic): avsc.Type {
  return parseAvroSchema(schemaText(topic));
}
