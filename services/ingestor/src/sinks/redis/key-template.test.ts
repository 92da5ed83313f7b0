import { describe, expect, it } from 'vitest';
import { KeyTemplate } from './key-template.ts';

const okx = { topic: 'trades', exchange: 'okx', symbol: 'BTC-USDT' };

describe('KeyTemplate', () => {
  it.each([
    ['md:{topic}:{exchange}:{symbol}', 'md:trades:okx:BTC-USDT', 'md:'],
    ['{exchange}.{topic}', 'okx.trades', ''],
    ['md:{{{exchange}}}:{topic}', 'md:{okx}:trades', 'md:{'],
    ['{topic}{exchange}{topic}', 'tradesokxtrades', ''],
  ])('%s is %s', (template, name, beginning) => {
    expect(new KeyTemplate(template).nameOf(okx)).toBe(name);
    expect(new KeyTemplate(template).beginning).toBe(beginning);
  });

  it.each([
    ['md:{topic}', 'must have the place {exchange}'],
    ['md', 'must have the place {topic}'],
    ['{topic}:{exchange}:{pair}', 'has the place {pair}; there are {topic}, {exchange}, {symbol}'],
    ['{topic}:{exchange', 'single brace'],
    ['{topic}:{exchange}}', 'single brace'],
  ])('%s is refused: %s', (template, problem) => {
    expect(() => new KeyTemplate(template)).toThrow(problem);
  });
});
