import { isUtf8 } from 'node:buffer';
import type { ByteRange, Decimal } from '@tickline/schemas';
import { MAX_ID_BYTES, MAX_SYMBOL_BYTES, NO_TIME } from '@tickline/schemas';
import type { FrameHandler, InvalidReason } from './exchange.ts';
import type { IndexedInstrument } from './instrument.ts';
import type { InstrumentIndex } from './instrument-index.ts';
import { ABSENT, ARRAY, NULL, NUMBER, Scanner, STRING } from './scanner.ts';
import { INVALID_TIME, parseEpoch } from './wire-time.ts';

/** How a value may be written: `"64250.1"`, `64250.1`, or both. */
export const QUOTED = 1;
export const BARE = 2;
export const QUOTED_OR_BARE = 3;
type ValueForm = typeof QUOTED | typeof BARE | typeof QUOTED_OR_BARE;

const EXCERPT_BYTES = 60;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * A scanner that knows the fields of a tick: it takes a slot's value into the draft's field, or
 * tells the handler what is wrong with it and returns false. Nothing from the wire is trusted:
 * lengths, forms and ranges are checked here, once for all exchanges.
 *
 * Decoders hold one and do not extend it: objects of one class keep its methods monomorphic, and with
 * that fast, however many exchanges share a process.
 */
export class FrameFields extends Scanner {
  /** Who hears of what is wrong; set at the start of each frame. */
  handler: FrameHandler = NO_HANDLER;
  private readonly names: readonly string[];

  /** `names`: the wire's own name of each slot, for messages. */
  constructor(names: readonly string[]) {
    super(names.length);
    this.names = names;
  }

  /** The instrument named by the string in `slot`. */
  instrument(slot: number, index: InstrumentIndex): IndexedInstrument | undefined {
    if (this.kind(slot) !== STRING) {
      this.unusable(slot, 'a string');
      return undefined;
    }
    const start = this.start(slot);
    const end = this.endOf(slot);
    const length = end - start;
    if (length > 0 && length <= MAX_SYMBOL_BYTES) {
      const found = index.lookup(this.bytes, start, end);
      if (found !== undefined) return found;
    }
    this.handler.invalid('unknown-symbol', this.excerpt(slot));
    return undefined;
  }

  /** A price above zero. */
  price(slot: number, form: ValueForm, into: Decimal): boolean {
    if (!this.decimal(slot, form, into, 'invalid-price')) return false;
    if (into.isPositive) return true;
    return this.refuse('invalid-price', slot, 'is not above zero');
  }

  /** A quantity of zero or more. */
  quantity(slot: number, form: ValueForm, into: Decimal): boolean {
    if (!this.decimal(slot, form, into, 'invalid-quantity')) return false;
    if (!into.isNegative) return true;
    return this.refuse('invalid-quantity', slot, 'is below zero');
  }

  /** Price and quantity of one side of a quote; price and quantity both zero say that it is empty: null. */
  side(priceSlot: number, quantitySlot: number, form: ValueForm, price: Decimal, quantity: Decimal): boolean {
    if (!this.decimal(priceSlot, form, price, 'invalid-price')) return false;
    if (!this.quantity(quantitySlot, form, quantity)) return false;
    if (price.isPositive) return true;
    if (!price.isZero || !quantity.isZero)
      return this.refuse('invalid-price', priceSlot, 'is not above zero');
    price.clear();
    quantity.clear();
    return true;
  }

  /** A number that decimal(38, 18) holds exactly, of any sign. */
  decimal(slot: number, form: ValueForm, into: Decimal, reason: InvalidReason): boolean {
    if (!this.hasForm(slot, form))
      return this.unusable(slot, form === QUOTED ? 'a decimal string' : 'a number');
    if (into.parse(this.bytes, this.start(slot), this.endOf(slot))) return true;
    return this.refuse(reason, slot, 'is not a number that decimal(38, 18) holds');
  }

  /** An id of digits only. */
  countingId(slot: number, form: ValueForm, into: ByteRange): boolean {
    if (!this.hasForm(slot, form)) return this.unusable(slot, 'an id');
    const start = this.start(slot);
    const end = this.endOf(slot);
    if (start === end || end - start > MAX_ID_BYTES)
      return this.refuse('invalid-field', slot, 'is not an id');
    const bytes = this.bytes;
    for (let at = start; at < end; at++) {
      if (bytes[at]! < ZERO || bytes[at]! > NINE)
        return this.refuse('invalid-field', slot, 'is not a whole number');
    }
    into.set(bytes, start, end);
    return true;
  }

  /** A whole number below 10^15 that nothing depends on; -1 when there is none. */
  wholeNumber(slot: number, form: ValueForm): number {
    if (!this.hasForm(slot, form)) return -1;
    const bytes = this.bytes;
    const start = this.start(slot);
    const end = this.endOf(slot);
    if (start === end || end - start > 15) return -1;
    let value = 0;
    for (let at = start; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** An id that is any short text without blanks or control characters. */
  opaqueId(slot: number, into: ByteRange): boolean {
    if (this.kind(slot) !== STRING) return this.unusable(slot, 'an id');
    const start = this.start(slot);
    const end = this.endOf(slot);
    if (start === end || end - start > MAX_ID_BYTES) {
      return this.refuse('invalid-field', slot, `is not of 1 to ${MAX_ID_BYTES} bytes`);
    }
    const bytes = this.bytes;
    let ascii = true;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (byte <= 0x20 || byte === 0x7f) return this.refuse('invalid-field', slot, 'holds blanks');
      if (byte > 0x7f) ascii = false;
    }
    // A record's string must be UTF-8: a consumer's decoder would throw on anything else.
    if (!ascii && !isUtf8(bytes.subarray(start, end)))
      return this.refuse('invalid-field', slot, 'is not UTF-8');
    into.set(bytes, start, end);
    return true;
  }

  /** Epoch milliseconds or microseconds, needed. Microseconds, or INVALID_TIME when it was refused. */
  time(slot: number, form: ValueForm): number {
    if (!this.hasForm(slot, form)) {
      this.unusable(slot, 'a time');
      return INVALID_TIME;
    }
    const micros = parseEpoch(this.bytes, this.start(slot), this.endOf(slot));
    if (micros === INVALID_TIME) this.refuse('invalid-field', slot, 'is not a time between 1970 and 2200');
    return micros;
  }

  /** As `time`; NO_TIME where the exchange gives none. */
  optionalTime(slot: number, form: ValueForm): number {
    return this.isAbsent(slot) ? NO_TIME : this.time(slot, form);
  }

  /** True when the field is not there, or is null. */
  isAbsent(slot: number): boolean {
    const kind = this.kind(slot);
    return kind === ABSENT || kind === NULL;
  }

  /** Whether the slot holds exactly this string. */
  holds(slot: number, text: Uint8Array): boolean {
    if (this.kind(slot) !== STRING) return false;
    const start = this.start(slot);
    if (this.endOf(slot) - start !== text.length) return false;
    const bytes = this.bytes;
    for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text[at]) return false;
    return true;
  }

  /** Whether the slot holds a string that begins with this. */
  startsWith(slot: number, text: Uint8Array): boolean {
    if (this.kind(slot) !== STRING) return false;
    const start = this.start(slot);
    if (this.endOf(slot) - start < text.length) return false;
    const bytes = this.bytes;
    for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text[at]) return false;
    return true;
  }

  /**
   * Takes the first two elements of the array at `at` (`["64250.1","0.5","0","7"]`), itself an element
   * of an array; false when it is not an array of two at least.
   */
  pair(at: number, slot: number, firstSlot: number, secondSlot: number): boolean {
    this.element(at, slot, null);
    if (this.kind(slot) !== ARRAY) return false;
    const first = this.first(slot);
    if (first === -1) return false;
    const second = this.element(first, firstSlot, null);
    if (second === -1) return false;
    this.element(second, secondSlot, null);
    return true;
  }

  hasForm(slot: number, form: ValueForm): boolean {
    const kind = this.kind(slot);
    return (kind === STRING && (form & QUOTED) !== 0) || (kind === NUMBER && (form & BARE) !== 0);
  }

  /** A needed field that is absent, or of the wrong type. */
  unusable(slot: number, wanted: string): false {
    if (this.kind(slot) === ABSENT) this.handler.invalid('missing-field', `${this.names[slot]} is missing`);
    else this.handler.invalid('invalid-field', `${this.names[slot]} is not ${wanted}: ${this.excerpt(slot)}`);
    return false;
  }

  refuse(reason: InvalidReason, slot: number, what: string): false {
    this.handler.invalid(reason, `${this.names[slot]} ${what}: ${this.excerpt(slot)}`);
    return false;
  }

  /** The start of a slot's text, safe to print. */
  excerpt(slot: number): string {
    const start = this.start(slot);
    const end = this.endOf(slot);
    return excerpt(this.bytes.subarray(start, end));
  }
}

/** The first bytes as printable text. */
export function excerpt(bytes: Uint8Array): string {
  const cut = bytes.length > EXCERPT_BYTES;
  const text = Buffer.from(cut ? bytes.subarray(0, EXCERPT_BYTES) : bytes).toString('utf8');
  const printable = text.replace(/\p{Cc}/gu, '\u{fffd}');
  return cut ? `${printable}…` : printable;
}

const NO_HANDLER: FrameHandler = {
  trade() {},
  quote() {},
  skipped() {},
  control() {},
  invalid() {},
};
