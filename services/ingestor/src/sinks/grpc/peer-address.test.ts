import { expect, it } from 'vitest';
import { peerAddressOf } from './peer-address.ts';

it.each([
  ['tickline-{shard}.tickline:9090', 3, 'tickline-3.tickline:9090'],
  ['a:1, b:2', 0, 'a:1'],
  ['a:1, b:2', 1, 'b:2'],
  ['a:1, b:2', 2, ''],
  [null, 0, ''],
])('%s for shard %i is "%s"', (setting, shard, address) => {
  expect(peerAddressOf(setting, shard)).toBe(address);
});
