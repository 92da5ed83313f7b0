const WORD_BYTES = 8;

/** Room behind a fragment's place that `copyFragment` writes to as well, for what follows to write over. */
export const FRAGMENT_SLACK = WORD_BYTES - 1;

/** Bytes that are written again and again, as words. V8 moves 64 bits at once between the two, and makes no BigInt. */
export interface Fragment {
  readonly words: BigInt64Array;
  readonly byteLength: number;
}

export function fragmentOf(bytes: Uint8Array): Fragment {
  const padded = new Uint8Array(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const words = BigInt64Array.from({ length: padded.length / WORD_BYTES }, (_, index) =>
    view.getBigInt64(index * WORD_BYTES, true),
  );
  return { words, byteLength: bytes.length };
}

/** Returns the offset behind the fragment; up to FRAGMENT_SLACK bytes behind it are written too. */
export function copyFragment({ words, byteLength }: Fragment, target: DataView, offset: number): number {
  for (let index = 0; index < words.length; index++) {
    target.setBigInt64(offset + index * WORD_BYTES, words[index]!, true);
  }
  return offset + byteLength;
}
