import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import {
  BATCH_COMPRESSION,
  BATCH_HEADER_BYTES,
  BATCH_LAYOUT,
  BATCH_LENGTH_OVERHEAD,
  BATCH_MAGIC,
  RecordCursor,
  signedVarintBytes,
  writeSignedVarint,
  writeVarint,
} from '@tickline/schemas';

/** Who writes, in the broker's eyes: what makes a repeated batch recognisable (KIP-98). */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A piece of memory that a batch is written into. */
export class Slab {
  readonly bytes: Buffer;
  /** The same memory, for the notes at its end. */
  readonly words: Int32Array;

  /** @param size in bytes, a multiple of 4 */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.words = new Int32Array(this.bytes.buffer, 0, size / 4);
  }
}

/** `stream` of a record that belongs to none: a dead letter. */
export const NO_STREAM = -1;

/** The notes on a record: stream, low and high half of its sequence. */
const NOTE_WORDS = 3;
const NOTE_BYTES = NOTE_WORDS * 4;
const TWO_TO_32 = 0x100000000;

/** More than a record ever needs beside its key field, value and headers: five varints, attributes, notes. */
export const RECORD_OVERHEAD = 32 + NOTE_BYTES;

const compressZstd = promisify(zstdCompress);
const ZSTD_LEVEL = 3;
const copyBytes = Buffer.prototype.copy;

/** A key as it stands in a record: its length as varint, then its bytes. Made once for each stream. */
export function encodeKeyField(key: Uint8Array): Uint8Array {
  const field = new Uint8Array(signedVarintBytes(key.length) + key.length);
  field.set(key, writeSignedVarint(field, 0, key.length));
  return field;
}

/** Record headers as they stand in a record. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): Uint8Array {
  const pairs = Object.entries(headers).map(
    ([name, value]) => [Buffer.from(name), Buffer.from(value)] as const,
  );
  const target = new Uint8Array(
    pairs.reduce((sum, [name, value]) => sum + name.length + value.length + 10, 5),
  );
  let at = writeSignedVarint(target, 0, pairs.length);
  for (const pair of pairs) {
    for (const text of pair) {
      at = writeSignedVarint(target, at, text.length);
      target.set(text, at);
      at += text.length;
    }
  }
  return target.subarray(0, at);
}

/**
 * One record batch of version 2, built in place: records from the front of the slab behind the room for the
 * header; from the slab's end downwards a note on each record, which stream and sequence it is, so that a
 * loss or a repeat can be told. The header is written by `seal`, and again for another producer id.
 */
export class RecordBatch {
  slab: Slab;
  /** Offset behind the last record. */
  end: number = BATCH_HEADER_BYTES;
  count = 0;
  /** Whose sequence numbers the sealed header carries; null before `seal`. */
  identity: ProducerIdentity | null = null;
  /**
   * True when an attempt to send it ended without an answer, or with one that leaves open whether it was
   * written. Sent again under the same identity it cannot be written twice; under another one it can.
   */
  inDoubt = false;
  /** How often a broker answered that the bytes are damaged. */
  damaged = 0;

  private baseTimestamp = 0;
  private maxTimestamp = 0;
  /** The whole batch with its records compressed, header included. */
  private compressed: Buffer | null = null;
  /** Ordinal → how many earlier ticks the record stands for; null while none does. */
  private conflations: Map<number, number> | null = null;

  constructor(slab: Slab) {
    this.slab = slab;
  }

  /** Room that the records and notes take now, and would need in another slab. */
  get usedBytes(): number {
    return this.end + this.count * NOTE_BYTES;
  }

  /** Memory that the batch holds. */
  get heldBytes(): number {
    return this.slab.bytes.length + (this.compressed?.length ?? 0);
  }

  /** Moves to a larger slab and returns the old one. */
  moveTo(slab: Slab): Slab {
    const old = this.slab;
    old.bytes.copy(slab.bytes, 0, 0, this.end);
    const notes = this.count * NOTE_WORDS;
    slab.words.set(old.words.subarray(old.words.length - notes), slab.words.length - notes);
    this.slab = slab;
    return old;
  }

  /**
   * Appends a copy of `source[start … end)` as a record's value. False, and nothing done, when the slab may
   * not have the room. The hot path: no allocation.
   */
  append(
    keyField: Uint8Array,
    source: Uint8Array,
    start: number,
    end: number,
    timestampMs: number,
    stream: number,
    sequence: number,
  ): boolean {
    const length = end - start;
    if (this.usedBytes + keyField.length + length + RECORD_OVERHEAD > this.slab.bytes.length) return false;
    const bytes = this.slab.bytes;
    const at = this.begin(keyField, length, 1, timestampMs);
    copyBytes.call(source, bytes, at, start, end);
    bytes[at + length] = 0; // no headers
    this.finish(at + length + 1, stream, sequence);
    return true;
  }

  /**
   * Appends a tick that stands for `conflated` earlier ones: the byte 0 at `conflatedAt` of the source is
   * replaced by that count.
   */
  appendConflated(
    keyField: Uint8Array,
    source: Uint8Array,
    end: number,
    timestampMs: number,
    stream: number,
    sequence: number,
    conflatedAt: number,
    conflated: number,
  ): boolean {
    if (conflated === 0) return this.append(keyField, source, 0, end, timestampMs, stream, sequence);
    // Avro's zigzag of a value that is not negative takes as many bytes as the record format's.
    const length = end - 1 + signedVarintBytes(conflated);
    if (this.usedBytes + keyField.length + length + RECORD_OVERHEAD > this.slab.bytes.length) return false;
    const bytes = this.slab.bytes;
    let at = this.begin(keyField, length, 1, timestampMs);
    at += copyBytes.call(source, bytes, at, 0, conflatedAt);
    at = writeVarint(bytes, at, conflated);
    at += copyBytes.call(source, bytes, at, conflatedAt + 1, end);
    bytes[at] = 0;
    this.conflations ??= new Map();
    this.conflations.set(this.count, conflated);
    this.finish(at + 1, stream, sequence);
    return true;
  }

  /** Appends a record with headers (`encodeHeaders`). */
  appendWithHeaders(
    keyField: Uint8Array,
    value: Uint8Array,
    headers: Uint8Array,
    timestampMs: number,
    stream: number,
    sequence: number,
  ): boolean {
    const room = keyField.length + value.length + headers.length + RECORD_OVERHEAD;
    if (this.usedBytes + room > this.slab.bytes.length) return false;
    const bytes = this.slab.bytes;
    const at = this.begin(keyField, value.length, headers.length, timestampMs);
    bytes.set(value, at);
    bytes.set(headers, at + value.length);
    this.finish(at + value.length + headers.length, stream, sequence);
    return true;
  }

  /** The stream of a record, by its ordinal; `NO_STREAM` for a dead letter. */
  streamOf(ordinal: number): number {
    return this.slab.words[this.noteAt(ordinal)]!;
  }

  sequenceOf(ordinal: number): number {
    const at = this.noteAt(ordinal);
    return this.slab.words[at + 2]! * TWO_TO_32 + (this.slab.words[at + 1]! >>> 0);
  }

  /** How many earlier ticks the record stands for. */
  conflatedOf(ordinal: number): number {
    return this.conflations?.get(ordinal) ?? 0;
  }

  /** Compresses the records (zstd) beside the batch, on a thread of libuv's. To be called before `seal`. */
  async compress(): Promise<void> {
    const records = await compressZstd(this.slab.bytes.subarray(BATCH_HEADER_BYTES, this.end), {
      params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    });
    this.compressed = Buffer.concat([Buffer.alloc(BATCH_HEADER_BYTES), records]);
    this.identity = null;
  }

  get isCompressed(): boolean {
    return this.compressed !== null;
  }

  /** Writes the header for this identity and sequence number: a new one, or another than before. */
  seal(identity: ProducerIdentity, baseSequence: number): void {
    const { bytes } = this;
    const attributes = this.compressed === null ? BATCH_COMPRESSION.none : BATCH_COMPRESSION.zstd;
    bytes.writeBigInt64BE(0n, BATCH_LAYOUT.baseOffset);
    bytes.writeInt32BE(bytes.length - BATCH_LENGTH_OVERHEAD, BATCH_LAYOUT.batchLength);
    bytes.writeInt32BE(-1, BATCH_LAYOUT.partitionLeaderEpoch);
    bytes.writeInt8(BATCH_MAGIC, BATCH_LAYOUT.magic);
    bytes.writeInt16BE(attributes, BATCH_LAYOUT.attributes);
    bytes.writeInt32BE(this.count - 1, BATCH_LAYOUT.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(this.baseTimestamp), BATCH_LAYOUT.baseTimestamp);
    bytes.writeBigInt64BE(BigInt(this.maxTimestamp), BATCH_LAYOUT.maxTimestamp);
    bytes.writeBigInt64BE(identity.producerId, BATCH_LAYOUT.producerId);
    bytes.writeInt16BE(identity.producerEpoch, BATCH_LAYOUT.producerEpoch);
    bytes.writeInt32BE(baseSequence, BATCH_LAYOUT.baseSequence);
    bytes.writeInt32BE(this.count, BATCH_LAYOUT.recordCount);
    bytes.writeUInt32BE(crc32c(bytes.subarray(BATCH_LAYOUT.attributes)), BATCH_LAYOUT.crc);
    this.identity = identity;
  }

  /** The bytes as they go to the broker, once sealed. Not a copy. */
  get bytes(): Buffer {
    return this.compressed ?? this.slab.bytes.subarray(0, this.end);
  }

  /** Appends the records `first … last` of another batch, with their notes, to this one, which has the room. */
  appendFrom(other: RecordBatch, first: number, last: number): void {
    const source = other.slab.bytes;
    const cursor = new RecordCursor(source, BATCH_HEADER_BYTES, other.end);
    for (let ordinal = 0; ordinal <= last && cursor.next(); ordinal++) {
      if (ordinal < first) continue;
      const conflated = other.conflatedOf(ordinal);
      if (conflated > 0) {
        this.conflations ??= new Map();
        this.conflations.set(this.count, conflated);
      }
      this.appendWithHeaders(
        source.subarray(cursor.keyFieldStart, cursor.keyEnd),
        source.subarray(cursor.valueStart, cursor.valueEnd),
        source.subarray(cursor.headersStart, cursor.end),
        other.baseTimestamp + cursor.timestampDelta,
        other.streamOf(ordinal),
        other.sequenceOf(ordinal),
      );
    }
  }

  /** Writes a record up to its value's length; returns where the value goes. */
  private begin(keyField: Uint8Array, valueLength: number, headerBytes: number, timestampMs: number): number {
    const ordinal = this.count;
    if (ordinal === 0) {
      this.baseTimestamp = timestampMs;
      this.maxTimestamp = timestampMs;
    } else if (timestampMs > this.maxTimestamp) {
      this.maxTimestamp = timestampMs;
    }
    const timestampDelta = timestampMs - this.baseTimestamp;
    const keyBytes = keyField.length;
    const body =
      1 +
      signedVarintBytes(timestampDelta) +
      signedVarintBytes(ordinal) +
      keyBytes +
      signedVarintBytes(valueLength) +
      valueLength +
      headerBytes;
    const bytes = this.slab.bytes;
    let at = writeSignedVarint(bytes, this.end, body);
    bytes[at++] = 0; // attributes
    at = writeSignedVarint(bytes, at, timestampDelta);
    at = writeSignedVarint(bytes, at, ordinal);
    // Keys are short: a loop beats a call that copies.
    for (let from = 0; from < keyBytes; from++) bytes[at++] = keyField[from]!;
    return writeSignedVarint(bytes, at, valueLength);
  }

  private finish(end: number, stream: number, sequence: number): void {
    const words = this.slab.words;
    const note = this.noteAt(this.count);
    words[note] = stream;
    words[note + 1] = sequence;
    words[note + 2] = sequence < TWO_TO_32 ? 0 : Math.floor(sequence / TWO_TO_32);
    this.end = end;
    this.count++;
  }

  private noteAt(ordinal: number): number {
    return this.slab.words.length - (ordinal + 1) * NOTE_WORDS;
  }
}
