import { readFileSync } from 'node:fs';
import type { ExchangeName } from '@tickline/schemas';

/** One line of `<exchange>.jsonl`. */
export interface FrameCase {
  readonly note: string;
  readonly frame: string;
  /** Indexes of the items that become ticks. */
  readonly ticks: readonly number[];
  readonly control: string | null;
  readonly error: string | null;
}

const FILES: Readonly<Record<ExchangeName, string>> = {
  binance: 'binance.jsonl',
  'bybit-spot': 'bybit.jsonl',
  okx: 'okx.jsonl',
  kraken: 'kraken.jsonl',
};

/** Our own frames of an exchange. */
export function frameCases(exchange: ExchangeName): FrameCase[] {
  const text = readFileSync(new URL(FILES[exchange], import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FrameCase);
}
