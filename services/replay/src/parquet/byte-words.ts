const NOTHING = new Uint8Array(0);
const NO_VIEW = new DataView(NOTHING.buffer);

/**
 * Four bytes at once, at any offset, of byte arrays that are asked for many times in a row. V8 compiles a DataView's
 * access to a single load or store. Two arrays are kept at hand: a record's bytes and its plan's constants alternate.
 */
export class ByteWords {
  private bytes: Uint8Array = NOTHING;
  private view: DataView = NO_VIEW;
  private otherBytes: Uint8Array = NOTHING;
  private otherView: DataView = NO_VIEW;

  /** A view of the same bytes: offsets in it are those of the array. */
  of(bytes: Uint8Array): DataView {
    return bytes === this.bytes ? this.view : this.other(bytes);
  }

  private other(bytes: Uint8Array): DataView {
    const isKnown = bytes === this.otherBytes;
    const view = isKnown ? this.otherView : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.otherBytes = this.bytes;
    this.otherView = this.view;
    this.bytes = bytes;
    this.view = view;
    return view;
  }
}
