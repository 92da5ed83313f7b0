import { readFileSync } from 'node:fs';

/** Thrown for weights that can't be used; a sentence that names the file and the line. */
export class WeightsError extends Error {
  override name = 'WeightsError';
}

/**
 * Weights by unit from a file: CSV lines `unit,weight` (a first line `unit,weight` is a heading), or
 * JSON, `{"binance:BTC-USDT": 120}` or `[{"unit": …, "weight": …}]`. Any measure will do: only
 * proportions count.
 */
export function readWeights(path: string): Map<string, number> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new WeightsError(
      `${path} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const weights = new Map<string, number>();
  for (const { unit, weight, where } of /^\s*[[{]/.test(text)
    ? jsonEntries(path, text)
    : csvEntries(path, text)) {
    if (typeof unit !== 'string' || !/^[^:\s]+:\S+$/.test(unit)) {
      throw new WeightsError(`${where}: must be a unit such as binance:BTC-USDT, is ${JSON.stringify(unit)}`);
    }
    if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
      throw new WeightsError(`${where}: the weight of ${unit} must be a number, 0 or more`);
    }
    if (weights.has(unit)) throw new WeightsError(`${where}: ${unit} is there twice`);
    weights.set(unit, weight);
  }
  if (weights.size === 0) throw new WeightsError(`${path} holds no weights`);
  return weights;
}

interface Entry {
  readonly unit: unknown;
  readonly weight: unknown;
  readonly where: string;
}

function csvEntries(path: string, text: string): Entry[] {
  return text
    .split(/\r?\n/)
    .map((line, at) => ({ line: line.trim(), where: `${path}, line ${at + 1}` }))
    .filter(
      ({ line, where }) =>
        line !== '' && !line.startsWith('#') && !(where.endsWith(' 1') && /^unit\s*,\s*weight$/i.test(line)),
    )
    .map(({ line, where }) => {
      const comma = line.lastIndexOf(',');
      const number = line.slice(comma + 1).trim();
      return {
        unit: comma < 0 ? line : line.slice(0, comma).trim(),
        weight: comma < 0 || number === '' ? null : Number(number),
        where,
      };
    });
}

function jsonEntries(path: string, text: string): Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WeightsError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (Array.isArray(value)) {
    return value.map((each: unknown, at) => {
      const entry = typeof each === 'object' && each !== null ? (each as Partial<Entry>) : {};
      return { unit: entry.unit, weight: entry.weight, where: `${path}, entry ${at + 1}` };
    });
  }
  return Object.entries(value as Record<string, unknown>).map(([unit, weight]) => ({
    unit,
    weight,
    where: path,
  }));
}
