import type { ExportColumn } from './export-columns.ts';
import { writeAscii } from './integer-text.ts';
import type { TextSyntax } from './text-rows.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ONES = 0x01010101;
const BLANKS = 0x20202020;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const HIGH_BITS = 0x80808080 | 0;
/** `\u001f` */
const MAX_ESCAPE = 6;

/**
 * A JSON object (RFC 8259) on each line. Decimals are strings, because JSON's numbers lose digits in most readers;
 * other numbers, and times in microseconds, are numbers.
 */
export function jsonLines(columns: readonly ExportColumn[]): TextSyntax {
  return {
    extension: '.jsonl',
    header: new Uint8Array(0),
    before: columns.map(({ name }, index) =>
      Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    ),
    none: Buffer.from('null'),
    rowEnd: Buffer.from('}\n'),
    quotesNumbers: true,
    writeText: writeJsonText,
    growth: MAX_ESCAPE,
  };
}

/** A JSON string of the UTF-8 text `bytes[start, end)`; escapes what must be (RFC 8259 section 7). */
export function writeJsonText(
  bytes: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): number {
  let to = offset;
  target.setUint8(to++, QUOTE);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes.getInt32(at, true);
    if (needsEscape(word)) break;
    target.setInt32(to, word, true);
    to += 4;
  }
  for (; at < end; at++) {
    const byte = bytes.getUint8(at);
    if (byte === QUOTE || byte === BACKSLASH) {
      target.setUint8(to++, BACKSLASH);
    } else if (byte < 0x20) {
      to = writeAscii(`\\u${byte.toString(16).padStart(4, '0')}`, target, to);
      continue;
    }
    target.setUint8(to++, byte);
  }
  target.setUint8(to++, QUOTE);
  return to;
}

/**
 * Whether one of four bytes is below a blank, a quote or a backslash: `(w - n·1) & ~w & 0x80…` is not zero when a byte
 * is less than n (Sean Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n").
 */
function needsEscape(word: number): boolean {
  const quote = word ^ QUOTES;
  const backslash = word ^ BACKSLASHES;
  const below = ((word - BLANKS) & ~word) | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash);
  return (below & HIGH_BITS) !== 0;
}
