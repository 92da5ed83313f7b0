/**
 * Binance trade frames for the benchmark, as bytes that are ready for the socket. They are built
 * once; between two rounds only the digits of ids and times are counted up in place, so that the
 * generator costs next to nothing beside the ingestor that it feeds.
 */

const ID_DIGITS = 10;
const TIME_DIGITS = 13;
const ZERO = 0x30;

interface Patch {
  readonly at: number;
  readonly symbol: number;
}

/** One block of unmasked text frames (RFC 6455 section 5.2), a round over the symbols and more. */
export class TradeBlock {
  readonly bytes: Buffer;
  readonly frames: number;
  private readonly ids: readonly Patch[];
  private readonly times: readonly number[];
  private readonly nextId: Float64Array;

  /** `symbols`: native names. `frames`: how many in the block. */
  constructor(symbols: readonly string[], frames: number, firstId: number) {
    const parts: Buffer[] = [];
    const ids: Patch[] = [];
    const times: number[] = [];
    let length = 0;
    for (let index = 0; index < frames; index++) {
      const symbol = index % symbols.length;
      const frame = encodeFrame(tradeText(symbols[symbol]!, index));
      const at = (mark: string) => length + frame.indexOf(mark) + mark.length;
      ids.push({ at: at('"t":'), symbol });
      times.push(at('"E":'), at('"T":'));
      parts.push(frame);
      length += frame.length;
    }
    this.bytes = Buffer.concat(parts);
    this.frames = frames;
    this.ids = ids;
    this.times = times;
    this.nextId = new Float64Array(symbols.length).fill(firstId);
  }

  /** Counts every symbol's ids on and sets all times to `nowMs`. */
  advance(nowMs: number): void {
    for (const { at, symbol } of this.ids) writeDigits(this.bytes, at, ID_DIGITS, this.nextId[symbol]!++);
    const time = Buffer.from(String(nowMs).padStart(TIME_DIGITS, '0'));
    for (const at of this.times) time.copy(this.bytes, at);
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
