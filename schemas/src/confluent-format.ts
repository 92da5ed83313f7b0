import { CONFLUENT_HEADER_BYTES, CONFLUENT_MAGIC } from './avro-writer.ts';

/** Thrown for bytes that are not a Confluent-framed record. */
export class WireFormatError extends Error {
  override name = 'WireFormatError';
}

/**
 * The schema id of a value in the Confluent wire format: a zero byte, then the id in four bytes,
 * big-endian (Confluent documentation, "Wire format"). Throws WireFormatError.
 */
export function schemaIdOf(value: Uint8Array): number {
  if (value.length < CONFLUENT_HEADER_BYTES || value[0] !== CONFLUENT_MAGIC) {
    throw new WireFormatError(
      `not Confluent-framed Avro: ${Buffer.from(value.subarray(0, 8)).toString('hex')}`,
    );
  }
  return ((value[1]! << 24) | (value[2]! << 16) | (value[3]! << 8) | value[4]!) >>> 0;
}

/** A value in the Confluent wire format around an Avro body; for records off the hot path. */
export function frameValue(schemaId: number, body: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(CONFLUENT_HEADER_BYTES + body.length);
  value.writeUInt8(CONFLUENT_MAGIC, 0);
  value.writeUInt32BE(schemaId, 1);
  value.set(body, CONFLUENT_HEADER_BYTES);
  return value;
}
