/**
 * Binance trade frames for the benchmark, as bytes that are ready for the socket. They are built
 * once; then only the digits of ids and times are counted up in place, so that the
 * generator costs next to nothing beside the ingestor that it feeds.
 */

const ID_DIGITS = 10;
const TIME_DIGITS = 13;
const ZERO = 0x30;

/** Where the digits of one frame lie, from the start of the ring. */
interface FramePlace {
  readonly start: number;
  readonly end: number;
  readonly symbol: number;
  readonly id: number;
  readonly times: readonly number[];
}

/** A ring of unmasked text frames (RFC 6455 section 5.2) that goes round the symbols. */
export class TradeRing {
  private readonly bytes: Buffer;
  private readonly frames: readonly FramePlace[];
  private readonly nextId: Float64Array;
  private cursor = 0;

  /** `symbols`: native names. `rounds`: how often each is in the ring. */
  constructor(symbols: readonly string[], rounds: number, firstId: number) {
    const parts: Buffer[] = [];
    const frames: FramePlace[] = [];
    let start = 0;
    for (let index = 0; index < symbols.length * rounds; index++) {
      const symbol = index % symbols.length;
      const frame = encodeFrame(tradeText(symbols[symbol]!, index));
      const at = (mark: string) => start + frame.indexOf(mark) + mark.length;
      const end = start + frame.length;
      frames.push({ start, end, symbol, id: at('"t":'), times: [at('"E":'), at('"T":')] });
      parts.push(frame);
      start = end;
    }
    this.bytes = Buffer.concat(parts);
    this.frames = frames;
    this.nextId = new Float64Array(symbols.length).fill(firstId);
  }

  /** Bytes of the next frames, at most `count` and at most to the ring's end, and how many they are. */
  take(count: number, nowMs: number): { bytes: Buffer; frames: number } {
    const first = this.cursor;
    const last = Math.min(first + count, this.frames.length);
    const time = Buffer.from(String(nowMs).padStart(TIME_DIGITS, '0'));
    for (let index = first; index < last; index++) {
      const { symbol, id, times } = this.frames[index]!;
      writeDigits(this.bytes, id, ID_DIGITS, this.nextId[symbol]!++);
      for (const at of times) time.copy(this.bytes, at);
    }
    this.cursor = last === this.frames.length ? 0 : last;
    // A copy: the ring goes on while the socket may still hold these.
    const bytes = Buffer.from(this.bytes.subarray(this.frames[first]!.start, this.frames[last - 1]!.end));
    return { bytes, frames: last - first };
  }
}

/** About 170 bytes, as on the wire; prices and quantities vary with the index. */
function tradeText(symbol: string, index: number): string {
  const price = `${64_000 + (index % 977)}.${String((index * 37) % 100).padStart(2, '0')}000000`;
  const quantity = `0.${String((index * 7919) % 100_000).padStart(5, '0')}000`;
  const id = '0'.repeat(ID_DIGITS);
  const time = '0'.repeat(TIME_DIGITS);
  const data = `{"e":"trade","E":${time},"s":"${symbol}","t":${id},"p":"${price}","q":"${quantity}","T":${time},"m":${index % 2 === 0},"M":true}`;
  return `{"stream":"${symbol.toLowerCase()}@trade","data":${data}}`;
}

function encodeFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, payload]);
}

function writeDigits(target: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const next = Math.floor(rest / 10);
    target[index] = ZERO + (rest - next * 10);
    rest = next;
  }
}
