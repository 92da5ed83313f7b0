/**
 * The four digits of each number below ten thousand, zeros in front, as the little-endian word of their ASCII: one
 * store writes all four. `>>> 8 * n` leaves out the first n.
 */
export const FOUR_DIGITS = new Int32Array(10_000);
for (let value = 0; value < FOUR_DIGITS.length; value++) {
  FOUR_DIGITS[value] = Buffer.from(String(value).padStart(4, '0'), 'latin1').readInt32LE();
}
