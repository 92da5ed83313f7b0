import { describe, expect, it } from 'vitest';
import { auditVerdict } from './audit.ts';

const answer = (vulnerabilities: Record<string, number>) => JSON.stringify({ metadata: { vulnerabilities } });

describe('auditVerdict', () => {
  it('tells nothing found from something found', () => {
    expect(auditVerdict(answer({ critical: 0, high: 0, total: 0 })).code).toBe(0);
    const { code, text } = auditVerdict(answer({ critical: 1, high: 0, low: 2, total: 3 }));
    expect([code, text]).toEqual([1, expect.stringContaining('1 critical, 2 low')]);
  });

  it('never takes a registry that can not be asked for a clean one', () => {
    for (const output of [
      '',
      'npm error',
      '{}',
      JSON.stringify({ message: 'request failed', error: { summary: '', detail: '' } }),
    ]) {
      expect(auditVerdict(output).code).toBe(2);
    }
    expect(auditVerdict(JSON.stringify({ error: { summary: 'ENOTFOUND' } })).text).toContain('ENOTFOUND');
  });
});
