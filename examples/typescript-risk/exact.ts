/** Exact arithmetic on decimals as text: a value is an integer of digits and how many of them follow the point. */
interface Scaled {
  readonly digits: bigint;
  readonly places: number;
}

function read(text: string): Scaled {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new Error(`${text} is not a decimal such as -1.5`);
  const [, sign = '', whole = '', fraction = ''] = match;
  return { digits: BigInt(sign + whole + fraction), places: fraction.length };
}

function write({ digits, places }: Scaled): string {
  const text = String(digits < 0n ? -digits : digits).padStart(places + 1, '0');
  const whole = text.slice(0, text.length - places);
  const fraction = text.slice(text.length - places).replace(/0+$/, '');
  return `${digits < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** a + b. Throws an Error for what is no decimal. */
export function sum(a: string, b: string): string {
  const [left, right] = [read(a), read(b)];
  const places = Math.max(left.places, right.places);
  const scaled = (value: Scaled) => value.digits * 10n ** BigInt(places - value.places);
  return write({ digits: scaled(left) + scaled(right), places });
}

/** a × b. Throws an Error for what is no decimal. */
export function product(a: string, b: string): string {
  const [left, right] = [read(a), read(b)];
  return write({ digits: left.digits * right.digits, places: left.places + right.places });
}
