import { describe, expect, it } from 'vitest';
import { exitCodesIn } from './exit-watch.ts';

describe('exit codes of pods', () => {
  it('are the last that was told of each', () => {
    expect([...exitCodesIn('a \nb \na 0\na \nb 137\nc \n')]).toEqual([
      ['a', 0],
      ['b', 137],
      ['c', null],
    ]);
  });
});
