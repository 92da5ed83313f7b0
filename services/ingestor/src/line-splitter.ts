const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts a stream of bytes into lines without decoding them. A carriage return before the line feed
 * belongs to the line's end; the last line may lack its end.
 */
export class LineSplitter {
  private readonly limit: number;
  private readonly line: (line: Uint8Array | null) => void;
  /** Parts of the line that is not complete. */
  private parts: Uint8Array[] = [];
  private held = 0;
  private tooLong = false;

  /** `line` is given each line, or null for one longer than `limit` bytes. */
  constructor(limit: number, line: (line: Uint8Array | null) => void) {
    this.limit = limit;
    this.line = line;
  }

  take(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      this.hold(chunk.subarray(start, end));
      this.complete();
      start = end + 1;
    }
    // A copy: the chunk's memory may be used again by who gave it.
    if (start < chunk.length) this.hold(new Uint8Array(chunk.subarray(start)));
  }

  /** No more bytes: hands over a last line without an end. */
  end(): void {
    if (this.held > 0 || this.tooLong) this.complete();
  }

  private hold(part: Uint8Array): void {
    if (this.tooLong) return;
    this.held += part.length;
    if (this.held <= this.limit) {
      this.parts.push(part);
      return;
    }
    this.tooLong = true;
    this.parts = [];
  }

  private complete(): void {
    const { parts, tooLong } = this;
    this.parts = [];
    this.held = 0;
    this.tooLong = false;
    if (tooLong) {
      this.line(null);
      return;
    }
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const end = whole.at(-1) === CARRIAGE_RETURN ? whole.length - 1 : whole.length;
    this.line(whole.subarray(0, end));
  }
}
