import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Decimal,
  DecimalError,
  formatUnscaled,
  MAX_DECIMAL_TEXT,
  parseUnscaled,
  unscaledFromBytes,
  unscaledToBytes,
} from './decimal.ts';

const BOUND = 10n ** 38n;
const unscaledValues = fc.bigInt({ min: 1n - BOUND, max: BOUND - 1n });

function parsed(text: string): Decimal | null {
  const decimal = new Decimal();
  // Bytes around the number must not be read.
  const bytes = Buffer.from(`7${text}7`);
  return decimal.parse(bytes, 1, bytes.length - 1) ? decimal : null;
}

describe('Decimal', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.00', '0'],
    ['64250.11000000', '64250.11'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['1e-08', '0.00000001'],
    ['1E+3', '1000'],
    ['-12.5e1', '-125'],
    ['99999999999999999999.999999999999999999', '99999999999999999999.999999999999999999'],
    ['1.0000000000000000000000', '1'],
    ['0e999999', '0'],
    ['123456789.12345678', '123456789.12345678'],
  ])('reads %s as %s', (text, plain) => {
    expect(parsed(text)?.toString()).toBe(plain);
  });

  it.each([
    '',
    '-',
    '.',
    '.5',
    '5.',
    '+1',
    '01',
    '00',
    '1e',
    '1e+',
    'e5',
    '1.5.2',
    '1,5',
    ' 1',
    '1 ',
    'NaN',
    'Infinity',
    '0x10',
    '1_000',
    '--1',
    '0.0000000000000000001',
    '1e-19',
    '100000000000000000000',
    '1e20',
    '1e999999',
    '１',
  ])('refuses %j', (text) => {
    expect(parsed(text)).toBeNull();
  });

  it('refuses a text of absurd length without working on it', () => {
    expect(parsed(`0.${'0'.repeat(1_000_000)}`)).toBeNull();
  });

  it('reads every value it can hold back from its plain text', () => {
    fc.assert(
      fc.property(unscaledValues, (unscaled) => {
        const decimal = parsed(formatUnscaled(unscaled));
        expect(decimal?.unscaled).toBe(unscaled);
        expect(decimal?.isNegative).toBe(unscaled < 0n);
        expect(decimal?.isZero).toBe(unscaled === 0n);
        expect(decimal?.isPositive).toBe(unscaled > 0n);
      }),
    );
  });

  it('agrees with BigInt arithmetic on any digits', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }),
        fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 0, maxLength: 18 }),
        (integer, fraction) => {
          const decimal = parsed(fraction === '' ? `${integer}` : `${integer}.${fraction}`);
          expect(decimal?.unscaled).toBe(integer * 10n ** 18n + BigInt(fraction.padEnd(18, '0')));
        },
      ),
    );
  });

  it('keeps nothing of the value before', () => {
    const decimal = new Decimal();
    expect(decimal.parseText('-99999999999999999999.999999999999999999')).toBe(true);
    expect(decimal.parseText('1')).toBe(true);
    expect(decimal.unscaled).toBe(10n ** 18n);
    expect(decimal.parseText('x')).toBe(false);
    expect(decimal.isNull).toBe(true);
    expect(() => decimal.unscaled).toThrow(DecimalError);
  });

  it('writes the bytes of two’s complement that BigInt gives', () => {
    fc.assert(
      fc.property(unscaledValues, (unscaled) => {
        const decimal = new Decimal();
        decimal.setUnscaled(unscaled);
        const target = new Uint8Array(20);
        const end = decimal.writeAvro(target, 1);
        const expected = unscaledToBytes(unscaled);
        expect(target[1]).toBe(expected.length * 2);
        expect(target.subarray(2, end)).toEqual(expected);
      }),
    );
  });

  it('writes the plain text that BigInt gives', () => {
    const target = Buffer.alloc(MAX_DECIMAL_TEXT + 2, '#');
    const decimal = new Decimal();
    fc.assert(
      fc.property(
        fc.oneof(
          unscaledValues,
          fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
          fc.integer({ min: -99, max: 99 }).map((whole) => BigInt(whole) * 10n ** 18n),
        ),
        (unscaled) => {
          decimal.setUnscaled(unscaled);
          const end = decimal.writeText(target, 1);
          expect(target.toString('latin1', 1, end)).toBe(formatUnscaled(unscaled));
        },
      ),
    );
    for (const text of ['0', '1', '0.000000000000000001', '99999999999999999999.999999999999999999']) {
      expect(decimal.parseText(text)).toBe(true);
      expect(target.toString('latin1', 1, decimal.writeText(target, 1))).toBe(text);
    }
    decimal.clear();
    expect(() => decimal.writeText(target, 0)).toThrow(DecimalError);
  });

  it('writes minimal bytes at every edge of a byte', () => {
    for (let bits = 0n; bits < 126n; bits++) {
      for (const unscaled of [(1n << bits) - 1n, 1n << bits, -(1n << bits), -(1n << bits) - 1n]) {
        const decimal = new Decimal();
        decimal.setUnscaled(unscaled);
        const target = new Uint8Array(20);
        const end = decimal.writeAvro(target, 0);
        const bytes = target.subarray(1, end);
        expect(unscaledFromBytes(bytes)).toBe(unscaled);
        const second = bytes[1];
        if (second !== undefined) expect(bytes[0] === (second >= 0x80 ? 0xff : 0x00)).toBe(false);
      }
    }
  });

  it('copies', () => {
    const from = new Decimal();
    from.setUnscaled(-5n);
    const to = new Decimal();
    to.copy(from);
    from.setUnscaled(7n);
    expect(to.unscaled).toBe(-5n);
  });

  it('says what it cannot hold', () => {
    expect(() => parseUnscaled('1e99')).toThrow('not an exact decimal(38, 18): 1e99');
    expect(() => new Decimal().setUnscaled(BOUND)).toThrow(DecimalError);
  });
});
