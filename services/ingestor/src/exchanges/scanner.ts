/** What stands in a slot after a scan. */
export const ABSENT = 0;
export const STRING = 1;
export const NUMBER = 2;
export const OBJECT = 3;
export const ARRAY = 4;
export const TRUE = 5;
export const FALSE = 6;
export const NULL = 7;
/** A wanted string that holds an escape: only while a scan runs, afterwards it is a STRING. */
const ESCAPED_STRING = 8;

type ValueKind =
  | typeof ABSENT
  | typeof STRING
  | typeof NUMBER
  | typeof OBJECT
  | typeof ARRAY
  | typeof TRUE
  | typeof FALSE
  | typeof NULL;

/** Deeper documents are refused: no exchange nests more than five levels. */
export const MAX_DEPTH = 64;

/** Slots of one scanner. */
export const MAX_SLOTS = 32;

/** What is wanted of one key's value. */
export interface PlanValue {
  /** Takes the value itself. */
  readonly slot: number;
  /** Keys wanted inside, when it is an object. */
  readonly fields: PlanFields;
  /**
   * When it is an array: takes its first element, and `fields` apply to that. Nearly every frame with
   * an array has one element, which is then found in the one pass.
   */
  readonly itemSlot?: number;
}

/** Wanted keys of an object: the slot that takes the value, or what is wanted inside it too. */
export interface PlanFields {
  readonly [key: string]: number | PlanValue;
}

const NO_SLOT = -1;
const NO_FIELD = -1;
const FAILED = -1;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
const UPPER_E = 0x45;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const LOWER_U = 0x75;
const SPACE = 0x20;

/** 1 for every byte that may follow a backslash, `u` apart (RFC 8259 section 7). */
const SIMPLE_ESCAPE = byteSet('"\\/bfnrt');
const HEX_DIGIT = byteSet('0123456789abcdefABCDEF');
const LONG_KEYS = 64;

/** The wanted keys of one object, compiled for look-up by bytes. */
export class ScanPlan {
  /** Slot of each field, and the plan inside it. */
  readonly slots: readonly number[];
  readonly nested: readonly (ScanPlan | null)[];
  /** Slot of the first element of each field's array, or NO_SLOT. */
  readonly itemSlots: readonly number[];
  /** One bit for each slot that a field fills beside its own. */
  readonly insideMasks: readonly number[];
  /** Every slot of this plan and of the plans inside. */
  readonly allSlots: readonly number[];
  /** One bit for each of `allSlots`: what a scan clears first. */
  readonly mask: number;
  /** Field of a key of one byte. */
  readonly single: Int8Array = new Int8Array(256).fill(NO_FIELD);
  /** Field of a longer key, by `longHash`; the multiplier was chosen so that no two wanted keys meet. */
  private readonly long = new Int8Array(LONG_KEYS).fill(NO_FIELD);
  private readonly multiplier: number;
  /** Field of the key `""`. */
  private readonly empty: number;
  private readonly names: readonly Uint8Array[];
  private readonly byText: ReadonlyMap<string, number>;

  constructor(fields: PlanFields) {
    const entries = Object.entries(fields);
    this.names = entries.map(([key]) => Buffer.from(key, 'utf8'));
    this.slots = entries.map(([, value]) => (typeof value === 'number' ? value : value.slot));
    this.nested = entries.map(([, value]) => (typeof value === 'number' ? null : new ScanPlan(value.fields)));
    this.itemSlots = entries.map(([, value]) =>
      typeof value === 'number' ? NO_SLOT : (value.itemSlot ?? NO_SLOT),
    );
    this.insideMasks = this.nested.map((plan, field) => (plan?.mask ?? 0) | bit(this.itemSlots[field]!));
    this.byText = new Map(entries.map(([key], field) => [key, field]));
    this.allSlots = [
      ...this.slots,
      ...this.itemSlots.filter((slot) => slot !== NO_SLOT),
      ...this.nested.flatMap((plan) => plan?.allSlots ?? []),
    ];
    this.mask = this.allSlots.reduce((mask, slot) => mask | bit(slot), 0);
    this.empty = this.byText.get('') ?? NO_FIELD;
    this.multiplier = this.place();
  }

  private place(): number {
    for (let field = 0; field < this.names.length; field++) {
      const name = this.names[field]!;
      if (name.length === 1) this.single[name[0]!] = field;
    }
    for (let multiplier = 1; multiplier < 4096; multiplier += 2) {
      this.long.fill(NO_FIELD);
      if (this.names.every((name, field) => name.length < 2 || this.placeLong(name, field, multiplier))) {
        return multiplier;
      }
    }
    throw new Error('too many keys in one scan plan');
  }

  private placeLong(name: Uint8Array, field: number, multiplier: number): boolean {
    const at = longHash(name, 0, name.length, multiplier);
    if (this.long[at] !== NO_FIELD) return false;
    this.long[at] = field;
    return true;
  }

  /** The field of the key `bytes[start, end)`, which holds no escape; NO_FIELD when it is not wanted. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 1) return this.single[bytes[start]!]!;
    if (length === 0) return this.empty;
    const field = this.long[longHash(bytes, start, end, this.multiplier)]!;
    if (field === NO_FIELD) return NO_FIELD;
    const name = this.names[field]!;
    if (name.length !== length) return NO_FIELD;
    for (let at = 0; at < length; at++) if (name[at] !== bytes[start + at]) return NO_FIELD;
    return field;
  }

  /** As `find`, for a key with escapes (`"\u0070"`). */
  findEscaped(bytes: Uint8Array, start: number, end: number): number {
    return this.byText.get(withoutEscapes(bytes, start, end)) ?? NO_FIELD;
  }
}

const NO_KEYS = new ScanPlan({});

/**
 * Finds the values of declared keys in a JSON text (RFC 8259) in one pass over its bytes, and hands
 * back their kinds and byte ranges in reused integer slots: no object and no string for a message.
 *
 * It accepts what `JSON.parse` accepts, up to MAX_DEPTH levels, and nothing else: the whole text is
 * checked, keys may come in any order, of a repeated key the last one counts. Bytes are taken as
 * UTF-8, whose validity is the socket's business.
 */
export class Scanner {
  /**
   * What the ranges refer to: the frame, or a copy of it in which wanted strings that had escapes
   * stand without (they only get shorter).
   */
  bytes: Uint8Array = new Uint8Array(0);
  private source: Uint8Array = this.bytes;
  private from = 0;
  private end = 0;
  /** Bit per slot: set when the slot holds a value of this scan. */
  private present = 0;
  private readonly kinds: Uint8Array;
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  /** Set by `string` when it met a backslash. */
  private sawEscape = false;
  /** Position of the element behind the first of a planned array; -1 when there is none. */
  private second = -1;
  private wantedEscapes = 0;
  private copied = false;

  /** `slots`: at most MAX_SLOTS, because presence is one bit each. */
  constructor(slots: number) {
    if (slots > MAX_SLOTS) throw new Error(`a scanner has at most ${MAX_SLOTS} slots`);
    this.kinds = new Uint8Array(slots);
    this.starts = new Int32Array(slots);
    this.ends = new Int32Array(slots);
  }

  kind(slot: number): ValueKind {
    return ((this.present >>> slot) & 1) === 0 ? ABSENT : (this.kinds[slot] as ValueKind);
  }

  /** Start of the value; of a string, behind its quote. */
  start(slot: number): number {
    return this.starts[slot]!;
  }

  /** End of the value; of a string, before its quote. */
  endOf(slot: number): number {
    return this.ends[slot]!;
  }

  /** The frame that was scanned last, as received: for messages and rare paths. */
  get frame(): Uint8Array {
    return this.source.subarray(this.from, this.end);
  }

  /** The text of a slot, for messages and rare paths. */
  text(slot: number): string {
    return decode(this.bytes, this.starts[slot]!, this.ends[slot]!);
  }

  /**
   * Scans the whole frame that is `bytes[start, end)`. `rootSlot` takes the kind and range of the document itself. False: it is not
   * JSON, and the slots hold nothing of use.
   */
  scan(bytes: Uint8Array, start: number, end: number, rootSlot: number, plan: ScanPlan): boolean {
    this.source = bytes;
    this.bytes = bytes;
    this.from = start;
    this.end = end;
    this.copied = false;
    this.wantedEscapes = 0;
    this.present = 0;
    const after = this.value(this.blanks(start), rootSlot, plan, NO_SLOT, 0);
    if (after === FAILED || this.blanks(after) !== this.end) return false;
    if (this.wantedEscapes > 0) this.removeEscapes(plan, rootSlot);
    return true;
  }

  /** Scans the same frame by another plan. */
  scanAgain(rootSlot: number, plan: ScanPlan): boolean {
    return this.scan(this.source, this.from, this.end, rootSlot, plan);
  }

  /**
   * Position of the element behind the first one of the array whose `itemSlot` the scan filled; -1
   * when there is none.
   */
  afterFirst(): number {
    return this.second;
  }

  /** Position of the first element of the array in `slot`, which a scan found; -1 when it is empty. */
  first(slot: number): number {
    const at = this.blanks(this.starts[slot]! + 1);
    return this.bytes[at] === CLOSE_BRACKET ? -1 : at;
  }

  /**
   * Takes the array element at `at` into `slot`, and the wanted keys of an object into the plan's
   * slots. Returns the position of the next element, -1 behind the last. The array was checked by the
   * scan that found it.
   */
  element(at: number, slot: number, plan: ScanPlan | null): number {
    this.wantedEscapes = 0;
    if (plan !== null) this.present &= ~plan.mask;
    const after = this.value(at, slot, plan, NO_SLOT, 1);
    if (after === FAILED) return -1;
    if (this.wantedEscapes > 0) this.removeEscapes(plan, slot);
    const separator = this.blanks(after);
    return this.bytes[separator] === COMMA ? this.blanks(separator + 1) : -1;
  }

  /** The value at `at`; returns the position behind it, or FAILED. `slot` NO_SLOT: nobody wants it. */
  private value(at: number, slot: number, plan: ScanPlan | null, itemSlot: number, depth: number): number {
    if (at >= this.end) return FAILED;
    const bytes = this.bytes;
    const first = bytes[at]!;
    let kind: number;
    let start = at;
    let after: number;
    let end: number;
    if (first === QUOTE) {
      after = this.string(at + 1);
      if (after === FAILED) return FAILED;
      kind = STRING;
      start = at + 1;
      end = after - 1;
      if (this.sawEscape) {
        this.sawEscape = false;
        if (slot !== NO_SLOT) {
          kind = ESCAPED_STRING;
          this.wantedEscapes++;
        }
      }
    } else if (first === MINUS || (first >= ZERO && first <= NINE)) {
      after = this.number(at);
      kind = NUMBER;
      end = after;
    } else if (first === OPEN_BRACE) {
      if (depth === MAX_DEPTH) return FAILED;
      after = this.object(at + 1, plan ?? NO_KEYS, depth + 1);
      kind = OBJECT;
      end = after;
    } else if (first === OPEN_BRACKET) {
      if (depth === MAX_DEPTH) return FAILED;
      after = this.array(at + 1, plan, itemSlot, depth + 1);
      kind = ARRAY;
      end = after;
    } else {
      after = this.literal(at, first);
      kind = first === LOWER_T ? TRUE : first === LOWER_F ? FALSE : NULL;
      end = after;
    }
    if (after === FAILED) return FAILED;
    if (slot !== NO_SLOT) {
      this.present |= 1 << slot;
      this.kinds[slot] = kind;
      this.starts[slot] = start;
      this.ends[slot] = end;
    }
    return after;
  }

  /** From behind the brace to behind the closing one. */
  private object(open: number, plan: ScanPlan, depth: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = open;
    if (at < end && bytes[at]! <= SPACE) at = this.blanks(at);
    if (at < end && bytes[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (at >= end || bytes[at] !== QUOTE) return FAILED;
      const keyStart = at + 1;
      let field: number;
      if (
        at + 3 < end &&
        bytes[at + 2] === QUOTE &&
        bytes[keyStart]! > SPACE &&
        bytes[keyStart] !== BACKSLASH
      ) {
        // A key of one byte: nearly all of Binance's.
        if (bytes[keyStart] === QUOTE) return FAILED;
        field = plan.single[bytes[keyStart]!]!;
        at += 3;
      } else {
        at = this.string(keyStart);
        if (at === FAILED || at >= end) return FAILED;
        if (this.sawEscape) {
          this.sawEscape = false;
          field = plan.findEscaped(bytes, keyStart, at - 1);
        } else {
          field = plan.find(bytes, keyStart, at - 1);
        }
      }
      if (bytes[at] !== COLON) {
        at = this.blanks(at);
        if (at >= end || bytes[at] !== COLON) return FAILED;
      }
      at++;
      if (at < end && bytes[at]! <= SPACE) at = this.blanks(at);
      if (field === NO_FIELD) {
        at = this.value(at, NO_SLOT, null, NO_SLOT, depth);
      } else {
        // A repeated key replaces everything that the earlier one brought.
        this.present &= ~plan.insideMasks[field]!;
        at = this.value(at, plan.slots[field]!, plan.nested[field]!, plan.itemSlots[field]!, depth);
      }
      if (at === FAILED || at >= end) return FAILED;
      let next = bytes[at]!;
      if (next <= SPACE) {
        at = this.blanks(at);
        if (at >= end) return FAILED;
        next = bytes[at]!;
      }
      at++;
      if (next === CLOSE_BRACE) return at;
      if (next !== COMMA) return FAILED;
      if (at < end && bytes[at]! <= SPACE) at = this.blanks(at);
    }
  }

  /** From behind the bracket to behind the closing one. */
  private array(open: number, plan: ScanPlan | null, itemSlot: number, depth: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = this.blanks(open);
    if (itemSlot !== NO_SLOT) this.second = -1;
    if (at < end && bytes[at] === CLOSE_BRACKET) return at + 1;
    // The plan applies to the first element alone.
    let slot = itemSlot;
    let itemPlan = itemSlot === NO_SLOT ? null : plan;
    for (;;) {
      at = this.value(at, slot, itemPlan, NO_SLOT, depth);
      if (at === FAILED) return FAILED;
      at = this.blanks(at);
      if (at >= end) return FAILED;
      const next = bytes[at]!;
      at++;
      if (next === CLOSE_BRACKET) return at;
      if (next !== COMMA) return FAILED;
      at = this.blanks(at);
      if (slot !== NO_SLOT) {
        this.second = at;
        slot = NO_SLOT;
        itemPlan = null;
      }
    }
  }

  /** From behind the opening quote to behind the closing one. */
  private string(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    for (let at = from; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      if (byte < SPACE) return FAILED;
      if (byte === BACKSLASH) return this.escapedString(at);
    }
    return FAILED;
  }

  /** The rest of a string from its first backslash. */
  private escapedString(backslash: number): number {
    const bytes = this.bytes;
    const end = this.end;
    this.sawEscape = true;
    for (let at = backslash; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      if (byte < SPACE) break;
      if (byte !== BACKSLASH) continue;
      at++;
      if (at >= end) break;
      const escaped = bytes[at]!;
      if (SIMPLE_ESCAPE[escaped] === 1) continue;
      if (escaped !== LOWER_U || at + 4 >= end) break;
      const digits =
        HEX_DIGIT[bytes[at + 1]!]! &
        HEX_DIGIT[bytes[at + 2]!]! &
        HEX_DIGIT[bytes[at + 3]!]! &
        HEX_DIGIT[bytes[at + 4]!]!;
      if (digits === 0) break;
      at += 4;
    }
    this.sawEscape = false;
    return FAILED;
  }

  /** RFC 8259 section 6. */
  private number(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = from;
    if (bytes[at] === MINUS) at++;
    const first = at;
    at = this.digits(at);
    if (at === first || (bytes[first] === ZERO && at > first + 1)) return FAILED;
    if (at < end && bytes[at] === POINT) {
      const fraction = at + 1;
      at = this.digits(fraction);
      if (at === fraction) return FAILED;
    }
    if (at < end && (bytes[at] === LOWER_E || bytes[at] === UPPER_E)) {
      at++;
      if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
      const exponent = at;
      at = this.digits(exponent);
      if (at === exponent) return FAILED;
    }
    return at;
  }

  private digits(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = from;
    while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
    return at;
  }

  /** `true`, `false` or `null`. */
  private literal(at: number, first: number): number {
    const bytes = this.bytes;
    const rest = first === LOWER_T ? 'rue' : first === LOWER_F ? 'alse' : first === LOWER_N ? 'ull' : '';
    if (rest === '' || at + rest.length >= this.end) return FAILED;
    for (let index = 0; index < rest.length; index++) {
      if (bytes[at + 1 + index] !== rest.charCodeAt(index)) return FAILED;
    }
    return at + 1 + rest.length;
  }

  /** Behind the white space at `from` (space, tab, line feed, carriage return). */
  private blanks(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = from;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
      at++;
    }
    return at;
  }

  private removeEscapes(plan: ScanPlan | null, ownSlot: number): void {
    this.removeEscape(ownSlot);
    if (plan !== null) for (const slot of plan.allSlots) this.removeEscape(slot);
  }

  private removeEscape(slot: number): void {
    if (((this.present >>> slot) & 1) === 0 || this.kinds[slot] !== ESCAPED_STRING) return;
    if (!this.copied) {
      // The frame itself stays as received: it may go to the dead letters.
      const { frame } = this;
      this.bytes = new Uint8Array(this.end);
      this.bytes.set(frame, this.from);
      this.copied = true;
    }
    const start = this.starts[slot]!;
    const plain = Buffer.from(withoutEscapes(this.bytes, start, this.ends[slot]!), 'utf8');
    this.bytes.set(plain, start);
    this.ends[slot] = start + plain.length;
    this.kinds[slot] = STRING;
  }
}

/** Hash of a key of two bytes or more, below LONG_KEYS. */
function longHash(bytes: Uint8Array, start: number, end: number, multiplier: number): number {
  const mixed = bytes[start]! + bytes[start + 1]! * 7 + bytes[end - 1]! * 31 + (end - start) * 131;
  return (Math.imul(mixed, multiplier) >>> 5) & (LONG_KEYS - 1);
}

/** The value of a string literal's inside, by JSON.parse of that slice. */
function withoutEscapes(bytes: Uint8Array, start: number, end: number): string {
  const value: unknown = JSON.parse(`"${decode(bytes, start, end)}"`);
  return String(value);
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

/** The presence bit of a slot. */
function bit(slot: number): number {
  return slot === NO_SLOT ? 0 : 1 << slot;
}

function byteSet(characters: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}
