const WORD_BYTES = 4;

/** Room behind a fragment's place that `copyFragment` writes to as well, for what follows to write over. */
export const FRAGMENT_SLACK = WORD_BYTES - 1;

/** Bytes that are written again and again, as words. */
export interface Fragment {
  readonly words: Int32Array;
  readonly byteLength: number;
}

export function fragmentOf(bytes: Uint8Array): Fragment {
  const padded = new Uint8Array(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const words = Int32Array.from({ length: padded.length / WORD_BYTES }, (_, index) =>
    view.getInt32(index * WORD_BYTES, true),
  );
  return { words, byteLength: bytes.length };
}

/** Returns the offset behind the fragment; up to FRAGMENT_SLACK bytes behind it are written too. */
export function copyFragment({ words, byteLength }: Fragment, target: DataView, offset: number): number {
  for (let index = 0; index < words.length; index++) {
    target.setInt32(offset + index * WORD_BYTES, words[index]!, true);
  }
  return offset + byteLength;
}
