/**
 * Kafka's record batch, version 2 (KIP-98; https://kafka.apache.org/documentation/#recordbatch): the layout
 * and the primitives that a writer and a reader share. All integers of the header are big-endian.
 */

/** `magic` of this format. */
export const BATCH_MAGIC = 2;

/** Offsets of the header's fields from the batch's first byte. */
export const BATCH_LAYOUT = {
  baseOffset: 0,
  /** int32: bytes behind this field. */
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  /** uint32: CRC-32C of everything from `attributes` to the end. */
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  /** The records, compressed as a whole if `attributes` say so. */
  records: 61,
} as const;

/** Length of a batch's header. */
export const BATCH_HEADER_BYTES = BATCH_LAYOUT.records;
/** Bytes up to and with `batchLength`: what a batch has beyond the length that it states. */
export const BATCH_LENGTH_OVERHEAD = BATCH_LAYOUT.partitionLeaderEpoch;

/** Codecs in the low three bits of `attributes`. */
export const BATCH_COMPRESSION = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export const BATCH_COMPRESSION_MASK = 0b111;
export const BATCH_LOG_APPEND_TIME = 1 << 3;
export const BATCH_TRANSACTIONAL = 1 << 4;
export const BATCH_CONTROL = 1 << 5;

/** Thrown for bytes that are not a record batch of version 2. */
export class RecordBatchError extends Error {
  override name = 'RecordBatchError';
}

/**
 * Writes a signed varint or varlong (zigzag, then seven bits a byte, least significant first, as in
 * Protocol Buffers) for |value| < 2^52. Returns the offset behind it.
 */
export function writeSignedVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
  while (zigzag > 0x7fffffff) {
    target[at++] = (zigzag % 128) | 0x80;
    zigzag = Math.floor(zigzag / 128);
  }
  while (zigzag > 0x7f) {
    target[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  target[at++] = zigzag;
  return at;
}

/** How many bytes `writeSignedVarint` takes for this value. */
export function signedVarintBytes(value: number): number {
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
  let bytes = 1;
  while (zigzag > 0x7fffffff) {
    bytes++;
    zigzag = Math.floor(zigzag / 128);
  }
  while (zigzag > 0x7f) {
    bytes++;
    zigzag >>>= 7;
  }
  return bytes;
}

/** A batch's header, read. */
export interface RecordBatchHeader {
  readonly baseOffset: bigint;
  /** Of the whole batch, header included. */
  readonly byteLength: number;
  readonly partitionLeaderEpoch: number;
  readonly crc: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  /** Milliseconds since the epoch. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** Reads the header of the batch at `offset`. The checksum is read, not checked. */
export function readBatchHeader(bytes: Uint8Array, offset = 0): RecordBatchHeader {
  if (offset + BATCH_HEADER_BYTES > bytes.length) throw new RecordBatchError('the batch ends in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, BATCH_HEADER_BYTES);
  const magic = view.getInt8(BATCH_LAYOUT.magic);
  if (magic !== BATCH_MAGIC) throw new RecordBatchError(`the batch has magic ${magic}, not ${BATCH_MAGIC}`);
  return {
    baseOffset: view.getBigInt64(BATCH_LAYOUT.baseOffset),
    byteLength: view.getInt32(BATCH_LAYOUT.batchLength) + BATCH_LENGTH_OVERHEAD,
    partitionLeaderEpoch: view.getInt32(BATCH_LAYOUT.partitionLeaderEpoch),
    crc: view.getUint32(BATCH_LAYOUT.crc),
    attributes: view.getInt16(BATCH_LAYOUT.attributes),
    lastOffsetDelta: view.getInt32(BATCH_LAYOUT.lastOffsetDelta),
    baseTimestamp: Number(view.getBigInt64(BATCH_LAYOUT.baseTimestamp)),
    maxTimestamp: Number(view.getBigInt64(BATCH_LAYOUT.maxTimestamp)),
    producerId: view.getBigInt64(BATCH_LAYOUT.producerId),
    producerEpoch: view.getInt16(BATCH_LAYOUT.producerEpoch),
    baseSequence: view.getInt32(BATCH_LAYOUT.baseSequence),
    recordCount: view.getInt32(BATCH_LAYOUT.recordCount),
  };
}

/**
 * Walks the (uncompressed) records of a batch without building an object for each:
 * `while (cursor.next()) …` sets the fields for one record after the other. Ranges are offsets in `bytes`.
 */
export class RecordCursor {
  private readonly bytes: Uint8Array;
  private readonly limit: number;
  private at: number;

  /** Milliseconds after the batch's base timestamp. */
  timestampDelta = 0;
  offsetDelta = 0;
  /** Where the key's length begins: `keyFieldStart … keyEnd` is the key as it stands in the record. */
  keyFieldStart = 0;
  keyStart = 0;
  /** Equal to `keyStart` for an empty key; -1 when the key is null. */
  keyEnd = 0;
  valueStart = 0;
  /** -1 when the value is null. */
  valueEnd = 0;
  /** Where the headers' count begins; they reach to `end`. */
  headersStart = 0;
  end = 0;

  /** The records from `start` to `end`, without the batch's header. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.limit = end;
  }

  /** Reads the next record; false at the end. */
  next(): boolean {
    if (this.at >= this.limit) return false;
    const length = this.readSignedVarint();
    this.end = this.at + length;
    if (length < 0 || this.end > this.limit) throw new RecordBatchError('a record is longer than its batch');
    this.at++; // attributes: unused in version 2
    this.timestampDelta = this.readSignedVarint();
    this.offsetDelta = this.readSignedVarint();
    this.keyFieldStart = this.at;
    const keyLength = this.readSignedVarint();
    this.keyStart = this.at;
    this.keyEnd = keyLength < 0 ? -1 : this.skip(keyLength);
    const valueLength = this.readSignedVarint();
    this.valueStart = this.at;
    this.valueEnd = valueLength < 0 ? -1 : this.skip(valueLength);
    this.headersStart = this.at;
    if (this.at > this.end) throw new RecordBatchError('a field is longer than its record');
    this.at = this.end;
    return true;
  }

  /** The headers of the current record, in their order; a missing value is null. */
  headers(): [name: string, value: Uint8Array | null][] {
    this.at = this.headersStart;
    const headers: [string, Uint8Array | null][] = [];
    for (let left = this.readSignedVarint(); left > 0; left--) {
      const nameLength = this.readSignedVarint();
      const name = this.bytes.subarray(this.at, this.skip(nameLength));
      const valueLength = this.readSignedVarint();
      const value = valueLength < 0 ? null : this.bytes.subarray(this.at, this.skip(valueLength));
      headers.push([Buffer.from(name).toString('utf8'), value]);
    }
    this.at = this.end;
    return headers;
  }

  private skip(length: number): number {
    this.at += length;
    if (length < 0 || this.at > this.end) throw new RecordBatchError('a field is longer than its record');
    return this.at;
  }

  private readSignedVarint(): number {
    let zigzag = 0;
    let scale = 1;
    for (let taken = 0; taken < 10; taken++) {
      if (this.at >= this.limit) throw new RecordBatchError('the records end in the middle of a number');
      const byte = this.bytes[this.at++]!;
      zigzag += (byte & 0x7f) * scale;
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      scale *= 128;
    }
    throw new RecordBatchError('a number has more than ten bytes');
  }
}
