import { ByteRange } from '@tickline/schemas';
import { expect, it } from 'vitest';
import { RecentIds } from './recent-ids.ts';

function range(text: string): ByteRange {
  const result = new ByteRange();
  result.set(Buffer.from(text), 0, Buffer.byteLength(text));
  return result;
}

it('admits each id once, and forgets the oldest only beyond its window', () => {
  const recent = new RecentIds();
  for (let id = 0; id < 8192; id++) expect(recent.admit(range(`t${id}`))).toBe(true);
  expect(recent.admit(range('t0'))).toBe(false);
  expect(recent.admit(range('t8191'))).toBe(false);
  expect(recent.admit(range('new'))).toBe(true);
  expect(recent.admit(range('t1'))).toBe(false);
  expect(recent.admit(range('t0'))).toBe(true);
});
