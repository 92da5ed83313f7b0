import { crc32c } from '@node-rs/crc32';

/** A record as an independent reader sees it. */
export interface ReadRecord {
  readonly offsetDelta: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReadBatch {
  readonly baseOffset: bigint;
  readonly leaderEpoch: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly records: ReadRecord[];
}

/**
 * Reads an uncompressed batch by the letter of https://kafka.apache.org/documentation/#recordbatch, sharing
 * nothing with the writer. Throws when a length, the magic or the checksum is wrong.
 */
export function readBatch(bytes: Buffer): ReadBatch {
  if (bytes.readInt32BE(8) !== bytes.length - 12) throw new Error('batchLength is wrong');
  if (bytes.readInt8(16) !== 2) throw new Error('magic is wrong');
  if (bytes.readUInt32BE(17) !== crc32c(bytes.subarray(21))) throw new Error('crc is wrong');
  let at = 57 + 4;
  const varint = (): number => {
    let raw = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes.readUInt8(at++));
      raw |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return Number((raw >> 1n) ^ -(raw & 1n));
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    if (at > bytes.length) throw new Error('a field ends behind the batch');
    return bytes.subarray(at - length, at);
  };
  const baseTimestamp = bytes.readBigInt64BE(27);
  const records: ReadRecord[] = [];
  for (let left = bytes.readInt32BE(57); left > 0; left--) {
    const length = varint();
    const end = at + length;
    if (take(1)[0] !== 0) throw new Error('attributes of a record are not 0');
    const timestamp = Number(baseTimestamp) + varint();
    const offsetDelta = varint();
    const key = take(varint()).toString();
    const value = take(varint());
    const headers: Record<string, string> = {};
    for (let count = varint(); count > 0; count--)
      headers[take(varint()).toString()] = take(varint()).toString();
    if (at !== end) throw new Error('the length of a record is wrong');
    records.push({ offsetDelta, timestamp, key, value, headers });
  }
  if (at !== bytes.length) throw new Error('bytes are left behind the last record');
  return {
    baseOffset: bytes.readBigInt64BE(0),
    leaderEpoch: bytes.readInt32BE(12),
    attributes: bytes.readInt16BE(21),
    lastOffsetDelta: bytes.readInt32BE(23),
    baseTimestamp,
    maxTimestamp: bytes.readBigInt64BE(35),
    producerId: bytes.readBigInt64BE(43),
    producerEpoch: bytes.readInt16BE(51),
    baseSequence: bytes.readInt32BE(53),
    records,
  };
}
