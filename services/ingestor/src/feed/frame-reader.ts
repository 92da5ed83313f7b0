/** First byte of a whole, uncompressed text or binary message in one frame: FIN, no RSV bit (RFC 6455 section 5.2). */
const WHOLE_TEXT = 0x81;
const WHOLE_BINARY = 0x82;
const FIN = 0x80;
const OPCODE = 0x0f;
const MASKED = 0x80;
const CONTINUATION = 0x0;
/** Opcodes from here on are control frames, which may come between the fragments of a message. */
const FIRST_CONTROL = 0x8;
const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;
const LENGTH = 0x7f;

/** Where the bytes of a socket go. */
export interface FrameReaderOutputs {
  /** A whole message: `bytes[start, end)`, which is within the chunk. */
  message(bytes: Buffer, start: number, end: number): void;
  /** Bytes for `ws`, in order: whatever is not a whole plain message within one chunk. */
  passOn(bytes: Buffer): void;
}

/**
 * Takes the plain messages out of a WebSocket's bytes, and leaves everything else to `ws`: control
 * frames, fragments, compressed or masked frames, frames that are too large, and the frame that a
 * chunk's end cuts in two. So the protocol is `ws`'s business as before, and the plain
 * case, nearly all messages of an exchange, costs a few comparisons instead of its whole machinery.
 *
 * `ws` may be bypassed whenever it stands between two frames and no message is open; the reader
 * counts what it passes on, to know when that is.
 */
export class FrameReader {
  /** Bytes of a frame under way that are still to be passed on. */
  private owed = 0;
  /** A fragmented message is open: only `ws` can put it together. */
  private fragmented = false;
  /** The header of a frame was cut: `ws` has its first bytes, and these tell how it goes on. */
  private cutHeader: Buffer | null = null;
  private readonly maxPayload: number;
  private readonly outputs: FrameReaderOutputs;

  /** `maxPayload`: larger messages are left to `ws`, which ends the session (close code 1009). */
  constructor(maxPayload: number, outputs: FrameReaderOutputs) {
    this.maxPayload = maxPayload;
    this.outputs = outputs;
  }

  /** Takes the next chunk of the socket. */
  read(chunk: Buffer): void {
    const end = chunk.length;
    const { outputs, maxPayload } = this;
    let at = this.finishCut(chunk);
    /** Start of the bytes that are for `ws`; they are passed on before the next message is delivered. */
    let held = at;
    while (at < end) {
      const first = chunk[at]!;
      let header = 2;
      let length = 0;
      if (end - at >= 2) {
        length = chunk[at + 1]! & LENGTH;
        if (length === LENGTH_IN_16_BITS) header = 4;
        else if (length === LENGTH_IN_64_BITS) header = 10;
      }
      if (end - at < header) {
        this.cutHeader = Buffer.from(chunk.subarray(at));
        at = end;
        break;
      }
      if (header === 4) length = (chunk[at + 2]! << 8) | chunk[at + 3]!;
      else if (header === 10)
        length = chunk.readUInt32BE(at + 2) * 0x1_0000_0000 + chunk.readUInt32BE(at + 6);
      const isMasked = (chunk[at + 1]! & MASKED) !== 0;
      const next = at + header + (isMasked ? 4 : 0) + length;
      if (
        (first === WHOLE_TEXT || first === WHOLE_BINARY) &&
        next <= end &&
        !isMasked &&
        !this.fragmented &&
        length <= maxPayload
      ) {
        if (held < at) outputs.passOn(chunk.subarray(held, at));
        outputs.message(chunk, at + header, next);
        held = next;
      } else {
        this.noteFragment(first);
      }
      if (next > end) {
        this.owed = next - end;
        at = end;
        break;
      }
      at = next;
    }
    if (held < end) outputs.passOn(held === 0 ? chunk : chunk.subarray(held));
  }

  /**
   * Passes on what belongs to a frame that an earlier chunk began; returns where the next one
   * begins. Those bytes lie before `held`, so they are passed on here.
   */
  private finishCut(chunk: Buffer): number {
    if (this.cutHeader !== null) {
      // `ws` has the first bytes; a copy of them with these tells the frame's length.
      const known = this.cutHeader;
      const header = Buffer.concat([known, chunk.subarray(0, 14 - known.length)]);
      const size = frameSize(header);
      if (size === null) {
        this.cutHeader = header;
        this.outputs.passOn(chunk);
        return chunk.length;
      }
      this.cutHeader = null;
      this.noteFragment(header[0]!);
      this.owed = size - known.length;
    }
    if (this.owed === 0) return 0;
    const taken = Math.min(this.owed, chunk.length);
    this.owed -= taken;
    this.outputs.passOn(chunk.subarray(0, taken));
    return taken;
  }

  /** A frame goes to `ws`: is a message open behind it? */
  private noteFragment(first: number): void {
    const opcode = first & OPCODE;
    if (opcode >= FIRST_CONTROL) return;
    if ((first & FIN) === 0) this.fragmented = true;
    else if (opcode === CONTINUATION) this.fragmented = false;
  }
}

/** Header and payload in bytes, by a frame's first bytes; null when they do not tell yet. */
function frameSize(start: Buffer): number | null {
  if (start.length < 2) return null;
  const length = start[1]! & LENGTH;
  const mask = (start[1]! & MASKED) === 0 ? 0 : 4;
  if (length < LENGTH_IN_16_BITS) return 2 + mask + length;
  if (length === LENGTH_IN_16_BITS) return start.length < 4 ? null : 4 + mask + start.readUInt16BE(2);
  if (start.length < 10) return null;
  return 10 + mask + start.readUInt32BE(2) * 0x1_0000_0000 + start.readUInt32BE(6);
}
