import { describe, expect, it } from 'vitest';
import type { LabelSelector } from './kubernetes-objects.ts';
import { selects } from './label-selector.ts';

const labels = { app: 'tickline', shard: '0' };

describe('a label selector', () => {
  it.each<[LabelSelector, boolean]>([
    [{}, true],
    [{ matchLabels: { app: 'tickline' } }, true],
    [{ matchLabels: { app: 'tickline', shard: '1' } }, false],
    [{ matchLabels: { absent: 'x' } }, false],
    [{ matchExpressions: [{ key: 'shard', operator: 'In', values: ['0', '1'] }] }, true],
    [{ matchExpressions: [{ key: 'shard', operator: 'In', values: ['1'] }] }, false],
    [{ matchExpressions: [{ key: 'absent', operator: 'In', values: ['1'] }] }, false],
    [{ matchExpressions: [{ key: 'shard', operator: 'NotIn', values: ['1'] }] }, true],
    [{ matchExpressions: [{ key: 'shard', operator: 'NotIn', values: ['0'] }] }, false],
    [{ matchExpressions: [{ key: 'absent', operator: 'NotIn', values: ['0'] }] }, true],
    [{ matchExpressions: [{ key: 'shard', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'absent', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'absent', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'shard', operator: 'DoesNotExist' }] }, false],
    [{ matchLabels: { app: 'tickline' }, matchExpressions: [{ key: 'absent', operator: 'Exists' }] }, false],
  ])('%j takes the labels: %s', (selector, taken) => {
    expect(selects(selector, labels)).toBe(taken);
  });
});
