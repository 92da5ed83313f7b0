import { DECIMAL_PRECISION, DECIMAL_SCALE, Decimal } from '@tickline/schemas';
import type { IndexedInstrument } from './instrument.ts';

const ONE = 10n ** BigInt(DECIMAL_SCALE);
const BOUND = 10n ** BigInt(DECIMAL_PRECISION);

/**
 * Base quantities of contract counts. By BigInt: exchanges that count in contracts are not among
 * those that fill the hot path today.
 */
export class ContractQuantities {
  /** Unscaled contract sizes by the instrument's slot. */
  private readonly sizes: bigint[] = [];

  /**
   * Linear: contracts × size, exact or refused. Inverse: contracts × size ÷ price, rounded half-even
   * at the 18th digit, the one rounding of the record contract. Null (and true) when the size is not
   * known. Returns false when decimal(38, 18) does not hold the result.
   */
  toBase(instrument: IndexedInstrument, contracts: Decimal, price: Decimal, into: Decimal): boolean {
    into.clear();
    if (instrument.contractSize === null) return true;
    const product = contracts.unscaled * this.sizeOf(instrument, instrument.contractSize);
    const divisor = instrument.inverse ? price.unscaled : ONE;
    const rest = product % divisor;
    let quotient = product / divisor;
    if (rest !== 0n) {
      if (!instrument.inverse) return false;
      const twice = rest * 2n;
      if (twice > divisor || (twice === divisor && quotient % 2n === 1n)) quotient += 1n;
    }
    if (quotient >= BOUND) return false;
    into.setUnscaled(quotient);
    return true;
  }

  private sizeOf(instrument: IndexedInstrument, text: string): bigint {
    const known = this.sizes[instrument.slot];
    if (known !== undefined) return known;
    const size = new Decimal();
    if (!size.parseText(text))
      throw new Error(`${instrument.exchangeSymbol}: contract size ${text} is not a decimal`);
    this.sizes[instrument.slot] = size.unscaled;
    return size.unscaled;
  }
}

/** `ctVal` × `ctMult` as plain text; null when it is not a positive decimal(38, 18). */
export function contractSizeText(value: string, multiplier: string): string | null {
  const left = new Decimal();
  const right = new Decimal();
  if (!left.parseText(value) || !right.parseText(multiplier) || !left.isPositive || !right.isPositive)
    return null;
  const product = left.unscaled * right.unscaled;
  if (product % ONE !== 0n || product / ONE >= BOUND) return null;
  left.setUnscaled(product / ONE);
  return left.toString();
}
