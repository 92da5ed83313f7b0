import { constants, zstdCompressSync } from 'node:zlib';
import { CODEC, type Compression, ENCODING, type Encoding, PAGE_TYPE } from './format.ts';
import { encodeHybrid, hybridBound } from './hybrid-encoding.ts';
import { CompactWriter } from './thrift-compact.ts';

/** pyarrow's choice too: higher levels cost more processor time than they save bytes here. */
const ZSTD_LEVEL = 1;
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } };

/** A finished page: header and payload as they go to the file. */
export interface Page {
  readonly header: Buffer;
  readonly payload: Buffer;
  /** With its header, before compression. */
  readonly uncompressedBytes: number;
}

/** Puts pages together; one for all columns of all files, because its memory is used only within a call. */
export class PageAssembly {
  private readonly compression: Compression;
  private scratch = new Uint8Array(1 << 16);
  private used = 0;

  constructor(compression: Compression) {
    this.compression = compression;
  }

  get codec(): number {
    return CODEC[this.compression];
  }

  /** Begins a payload. */
  clear(): void {
    this.used = 0;
  }

  /** Definition levels, 0 (null) or 1, behind their length in four bytes, as data pages of version 1 have them. */
  addLevels(levels: Uint8Array, count: number): void {
    this.reserve(4 + hybridBound(count, 1));
    const from = this.used + 4;
    const to = encodeHybrid(levels, count, 1, this.scratch, from);
    new DataView(this.scratch.buffer).setInt32(this.used, to - from, true);
    this.used = to;
  }

  /** Indexes into a dictionary: their width in bits, then the indexes. */
  addIndexes(indexes: Int32Array, count: number, bitWidth: number): void {
    this.reserve(1 + hybridBound(count, bitWidth));
    this.scratch[this.used] = bitWidth;
    this.used = encodeHybrid(indexes, count, bitWidth, this.scratch, this.used + 1);
  }

  addBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.scratch.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** The payload as a data page of `rows` rows, nulls included. */
  dataPage(rows: number, encoding: Encoding): Page {
    return this.page(PAGE_TYPE.data, (writer) => {
      writer.struct(5, () => {
        writer.i32(1, rows);
        writer.i32(2, encoding);
        writer.i32(3, ENCODING.rle);
        writer.i32(4, ENCODING.rle);
      });
    });
  }

  /** The payload as a dictionary page of `size` values. */
  dictionaryPage(size: number): Page {
    return this.page(PAGE_TYPE.dictionary, (writer) => {
      writer.struct(7, () => {
        writer.i32(1, size);
        writer.i32(2, ENCODING.plain);
        writer.boolean(3, false);
      });
    });
  }

  private page(type: number, typeHeader: (writer: CompactWriter) => void): Page {
    const raw = this.scratch.subarray(0, this.used);
    const payload = this.compression === 'zstd' ? zstdCompressSync(raw, ZSTD_OPTIONS) : Buffer.from(raw);
    const header = CompactWriter.struct((writer) => {
      writer.i32(1, type);
      writer.i32(2, raw.length);
      writer.i32(3, payload.length);
      typeHeader(writer);
    });
    return { header, payload, uncompressedBytes: header.length + raw.length };
  }

  private reserve(count: number): void {
    if (this.used + count <= this.scratch.length) return;
    const wider = new Uint8Array(Math.max(this.scratch.length * 2, this.used + count));
    wider.set(this.scratch.subarray(0, this.used));
    this.scratch = wider;
  }
}
