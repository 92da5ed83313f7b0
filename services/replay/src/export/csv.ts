import type { ExportColumn } from './export-columns.ts';
import type { TextSyntax } from './text-rows.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** A doubled quote, or an empty text: two quotes for no byte are in the row's fixed room. */
const MAX_GROWTH = 3;
const ROW_END = '\r\n';

/**
 * RFC 4180 with a line of names first. Null is nothing at all; an empty text is `""`, so that the two differ.
 * Decimals and numbers are bare, with all their digits.
 */
export function csv(columns: readonly ExportColumn[]): TextSyntax {
  const names = columns.map(({ name }) => {
    const bytes = new TextEncoder().encode(name);
    const target = new DataView(new ArrayBuffer(bytes.length * MAX_GROWTH + 2));
    const end = writeCsvText(new DataView(bytes.buffer), 0, bytes.length, target, 0);
    return Buffer.from(target.buffer, 0, end).toString();
  });
  return {
    extension: '.csv',
    header: Buffer.from(`${names.join(',')}${ROW_END}`),
    before: columns.map((_, index) => Buffer.from(index === 0 ? '' : ',')),
    none: new Uint8Array(0),
    rowEnd: Buffer.from(ROW_END),
    quotesNumbers: false,
    writeText: writeCsvText,
    growth: MAX_GROWTH,
  };
}

/** A field of the UTF-8 text `bytes[start, end)`, in quotes where RFC 4180 section 2 wants them. */
export function writeCsvText(
  bytes: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): number {
  let to = offset;
  for (let at = start; at < end; at++) {
    const byte = bytes.getUint8(at);
    if (byte === QUOTE || byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      return writeQuoted(bytes, start, end, target, offset);
    }
    target.setUint8(to++, byte);
  }
  return start === end ? writeQuoted(bytes, start, end, target, offset) : to;
}

function writeQuoted(bytes: DataView, start: number, end: number, target: DataView, offset: number): number {
  let to = offset;
  target.setUint8(to++, QUOTE);
  for (let at = start; at < end; at++) {
    const byte = bytes.getUint8(at);
    if (byte === QUOTE) target.setUint8(to++, QUOTE);
    target.setUint8(to++, byte);
  }
  target.setUint8(to++, QUOTE);
  return to;
}
