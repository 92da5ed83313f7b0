import { describe, expect, it } from 'vitest';
import { CompactWriter } from './thrift-compact.ts';

const hex = (body: (writer: CompactWriter) => void) => CompactWriter.struct(body).toString('hex');

describe('the compact protocol, by its specification', () => {
  it('writes fields with the difference of their ids, integers as zigzag varints', () => {
    expect(hex((writer) => writer.i32(1, 1))).toBe('150200');
    expect(hex((writer) => writer.i64(2, -1))).toBe('260100');
    expect(hex((writer) => writer.i16(3, 300))).toBe('34d80400');
    expect(hex((writer) => writer.i64(1, 2n ** 62n))).toBe('1680808080808080808001'.concat('00'));
  });

  it('writes an id of its own where the difference is too large', () => {
    expect(hex((writer) => writer.i32(20, 0))).toBe('05280000');
  });

  it('writes booleans in the field header, texts behind their length', () => {
    const booleans = hex((writer) => {
      writer.boolean(1, true);
      writer.boolean(2, false);
    });
    expect(booleans).toBe('111200');
    expect(hex((writer) => writer.text(1, 'né'))).toBe('18036ec3a900');
  });

  it('begins ids anew within a struct, and goes on behind it', () => {
    const bytes = hex((writer) => {
      writer.struct(5, () => writer.i32(1, 0));
      writer.i32(6, 0);
    });
    expect(bytes).toBe('5c150000150000');
  });

  it('writes the length of a long list in a varint', () => {
    expect(hex((writer) => writer.i32List(1, [1, 2]))).toBe('1925020400');
    expect(hex((writer) => writer.i32List(1, new Array<number>(15).fill(0)))).toBe(
      `19f50f${'00'.repeat(16)}`,
    );
  });
});
