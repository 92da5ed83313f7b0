import { Decimal } from '@tickline/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContractQuantities, contractSizeText } from './contract-quantity.ts';
import type { IndexedInstrument } from './instrument.ts';
import { unlistedInstrument } from './unlisted-instrument.ts';

function convert(
  contracts: string,
  size: string | null,
  price: string,
  inverse: boolean,
): string | null | false {
  const instrument: IndexedInstrument = {
    ...unlistedInstrument('okx', 'X-SWAP'),
    slot: 0,
    contractSize: size,
    inverse,
  };
  const [count, at, into] = [new Decimal(), new Decimal(), new Decimal()];
  count.parseText(contracts);
  at.parseText(price);
  if (!new ContractQuantities().toBase(instrument, count, at, into)) return false;
  return into.isNull ? null : into.toString();
}

describe('ContractQuantities', () => {
  it.each([
    ['34.95', '0.01', '63913.4', false, '0.3495'],
    ['0', '0.01', '63913.4', false, '0'],
    ['7', '100', '50000', true, '0.014'],
    ['1', '100', '3', true, '33.333333333333333333'],
    ['2', '100', '3', true, '66.666666666666666667'],
    ['5', null, '3', true, null],
    // More than eighteen digits: refused where the contract is linear, rounded where it is inverse.
    ['0.000000000000000001', '0.1', '1', false, false],
    // Exactly half: to the even digit.
    ['0.000000000000000001', '1', '2', true, '0'],
    ['0.000000000000000003', '1', '2', true, '0.000000000000000002'],
    ['10000000000000000000', '100', '1', false, false],
    ['99999999999999999999', '10', '0.1', true, false],
  ])('%s contracts of %s at %s, inverse %s: %s', (contracts, size, price, inverse, expected) => {
    expect(convert(contracts, size, price, inverse)).toBe(expected);
  });

  it('is nowhere further than half a unit from the exact quotient', () => {
    const amount = fc.bigInt({ min: 1n, max: 10n ** 26n });
    fc.assert(
      fc.property(amount, amount, (count, price) => {
        const [left, right] = [new Decimal(), new Decimal()];
        left.setUnscaled(count);
        right.setUnscaled(price);
        const instrument = {
          ...unlistedInstrument('okx', 'X-SWAP'),
          slot: 0,
          contractSize: '100',
          inverse: true,
        };
        const into = new Decimal();
        fc.pre(new ContractQuantities().toBase(instrument, left, right, into));
        const error = count * 100n * 10n ** 18n - into.unscaled * price;
        expect((error < 0n ? -error : error) * 2n <= price).toBe(true);
      }),
    );
  });
});

describe('contractSizeText', () => {
  it.each([
    ['0.01', '1', '0.01'],
    ['100', '1', '100'],
    ['0.001', '10', '0.01'],
    ['', '1', null],
    ['0', '1', null],
    ['-1', '1', null],
    ['0.000000000000000001', '0.1', null],
  ])('%s × %s = %s', (value, multiplier, expected) =>
    expect(contractSizeText(value, multiplier)).toBe(expected),
  );
});
