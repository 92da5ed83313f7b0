/**
 * `units × 10^-scale` as plain decimal text with all `scale` digits after the point, padded with zeros to
 * `padTo` digits. `units` is a non-negative integer; nothing here ever divides.
 */
export function fixedText(units: number | bigint, scale: number, padTo: number = scale): string {
  const digits = String(units);
  if (scale === 0) return padTo === 0 ? digits : `${digits}.${'0'.repeat(padTo)}`;
  const padded = digits.length > scale ? digits : digits.padStart(scale + 1, '0');
  const point = padded.length - scale;
  return `${padded.slice(0, point)}.${padded.slice(point)}${padTo > scale ? '0'.repeat(padTo - scale) : ''}`;
}

/** As `fixedText`, without trailing zeros (and without a point when nothing follows it). */
export function trimmedText(units: number | bigint, scale: number): string {
  const text = fixedText(units, scale);
  if (scale === 0) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end--;
  if (text.charCodeAt(end - 1) === 46) end--;
  return text.slice(0, end);
}

/**
 * A number as Python prints it: scientific with a two-digit exponent below 0.0001 (`1e-08`, `2.5e-05`).
 * Kraken's instrument increments arrive in this form.
 */
export function scientificText(units: number, scale: number): string {
  const plain = trimmedText(units, scale);
  const digits = plain.replace('.', '').replace(/^0+/, '');
  const fraction = plain.indexOf('.') < 0 ? '' : plain.slice(plain.indexOf('.') + 1);
  const zeros = plain.startsWith('0.') ? fraction.length - fraction.replace(/^0+/, '').length : 0;
  if (zeros < 4) return plain;
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
  return `${mantissa}e-${String(zeros + 1).padStart(2, '0')}`;
}
