import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { type Column, cut, textTable } from './text-table.ts';

const columns: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'count', align: 'right', expendable: 1 },
  { title: 'p50', align: 'right' },
  { title: 'notes', align: 'left', expendable: 2 },
];
const rows = [
  [{ text: 'binance', tone: 'strong' as const }, { text: '12' }, { text: '3.1' }, { text: 'fine' }],
  [{ text: 'okx' }, { text: '1,234' }, { text: '12.5' }, { text: '' }],
];

describe('textTable', () => {
  it('aligns columns to their widest text', () => {
    expect(textTable(columns, rows, 80, false)).toEqual([
      'NAME     count   p50  notes',
      'binance     12   3.1  fine',
      'okx      1,234  12.5',
    ]);
  });

  it('leaves out the most expendable columns first, then cuts', () => {
    expect(textTable(columns, rows, 21, false)).toEqual([
      'NAME     count   p50',
      'binance     12   3.1',
      'okx      1,234  12.5',
    ]);
    expect(textTable(columns, rows, 14, false)[2]).toBe('okx      12.5');
    expect(textTable(columns, rows, 6, false)).toEqual(['NAME', 'binan…', 'okx']);
  });

  it('is never wider than asked, and colours change nothing but colours', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { minLength: 4, maxLength: 4 })),
        fc.integer({ min: 1, max: 60 }),
        (texts, width) => {
          const cells = texts.map((row) =>
            row.map((text) => ({ text: text.replaceAll(/\p{Cc}/gu, ''), tone: 'good' as const })),
          );
          const plain = textTable(columns, cells, width, false);
          for (const line of plain) expect(stringWidth(line)).toBeLessThanOrEqual(width);
          const coloured = textTable(columns, cells, width, true);
          expect(coloured.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(plain);
        },
      ),
    );
  });
});

describe('cut', () => {
  it('marks what is missing', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(cut('価格', 3)).toBe('価…');
    expect(cut('abc', 0)).toBe('');
  });
});
