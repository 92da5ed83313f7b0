import { describe, expect, it } from 'vitest';
import type { MissingRun } from './missing-trades.ts';
import { type AuditedRow, disagreements } from './two-audits.ts';

const run = (exchange: string, ids: number): MissingRun => ({
  ...{ phase: 'drain', exchange, exchangeSymbol: 'A', firstId: '1', lastId: '9' },
  ...{ trades: 1, ids, from: 0, to: 1, named: false },
});
const row = (exchange: string, missingIds: number | null): AuditedRow => ({
  ...{ exchange, missingIds, missingSequences: 0 },
});

describe('the two audits', () => {
  it('agree when they miss as many ids of each exchange that counts', () => {
    const runs = [run('okx', 3), run('okx', 4), run('bybit-spot', 5)];
    expect(
      disagreements(runs, [row('okx', 7), row('okx', 0), row('bybit-spot', null), row('kraken', 0)]),
    ).toEqual([]);
  });

  it('are told apart by exchange', () => {
    expect(disagreements([run('okx', 3)], [row('okx', 2), row('kraken', 1)])).toEqual([
      'okx: 3 ids are missing by its ledger, 2 by `tickline audit`',
      'kraken: 0 ids are missing by its ledger, 1 by `tickline audit`',
    ]);
  });
});
