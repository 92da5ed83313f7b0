import { describe, expect, it } from 'vitest';
import { refusalOf } from './connection-refusal.ts';

// What real brokers answer is in test/security/refusals.test.ts; here is what they can't be brought to at will.
describe('refusalOf', () => {
  it('names the certificate though its file is being replaced just now', () => {
    const access = { ssl: { cert: Buffer.from('-----BEGIN CERT') }, sasl: null };
    const alert = { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' };
    expect(refusalOf(alert, 'broker:9093', access, null)).toEqual({
      setting: 'ssl',
      text: expect.stringContaining('the broker refuses our certificate of kafka.ssl.certFile'),
    });
  });

  it('takes what may pass by itself for no refusal', () => {
    const access = { ssl: {}, sasl: null };
    expect(refusalOf({ code: 'ECONNREFUSED' }, 'broker:9093', access, null)).toBeNull();
    expect(refusalOf(new Error('no answer'), 'broker:9093', access, null)).toBeNull();
  });
});
