import { expect, it } from 'vitest';
import { namesIn } from './promql-names.ts';

it.each([
  ['up', ['up'], []],
  [
    'sum by (exchange, le) (rate(a_bucket{x="1",y=~"a|b"}[5m])) > 0.9',
    ['a_bucket'],
    ['x', 'y', 'exchange', 'le'],
  ],
  [
    'count(count by (shard) (a{})) unless on () (b == 0) or time() - c_seconds offset 5m > 1e3',
    ['a', 'b', 'c_seconds'],
    ['shard'],
  ],
  [
    'a * ignoring (shard, shards) group_left (shard) b{text="c{d=\\"e\\"} and f"}',
    ['a', 'b'],
    ['text', 'shard', 'shards'],
  ],
  ['label_replace(absent(a and ignoring (b) (c == 1)), "d", "0", "", "")', ['a', 'c'], ['b']],
])('finds the names in %s', (expr, metrics, labels) => {
  expect(namesIn(expr)).toEqual({ metrics, labels });
});
