import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, REDACTED, redactingReplacer } from './redactor.ts';

describe('createRedactor', () => {
  it('takes a secret out wherever it stands', () => {
    const redact = createRedactor(['s3cr+t/"x"']);
    expect(redact('password s3cr+t/"x" refused')).toBe(`password ${REDACTED} refused`);
    expect(redact(JSON.stringify({ password: 's3cr+t/"x"' }))).toBe(`{"password":"${REDACTED}"}`);
    expect(redact(`http://u:${encodeURIComponent('s3cr+t/"x"')}@h`)).toBe(`http://u:${REDACTED}@h`);
    expect(redact(Buffer.from('s3cr+t/"x"').toString('base64'))).toBe(REDACTED);
  });

  it('takes the longer of two nested secrets out whole', () => {
    expect(createRedactor(['abc', 'abcdef'])('abcdef abc')).toBe(`${REDACTED} ${REDACTED}`);
  });

  it('leaves texts alone when there is no secret', () => {
    expect(createRedactor([''])('nothing to hide')).toBe('nothing to hide');
  });

  it('never leaves a secret in a text, whatever characters it has', () => {
    const secret = fc.string({ minLength: 4, maxLength: 20, unit: 'binary' });
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        fc.pre(!REDACTED.includes(value));
        expect(createRedactor([value])(`${before}${value}${after}`)).not.toContain(value);
      }),
    );
  });
});

describe('redactingReplacer', () => {
  it('keeps the JSON well-formed even when a secret looks like JSON', () => {
    const replacer = redactingReplacer(createRedactor(['":1', 'abc']));
    const text = JSON.stringify({ a: 'x":1', nested: [{ b: 'abc' }], n: 1 }, replacer);
    expect(JSON.parse(text)).toEqual({ a: `x${REDACTED}`, nested: [{ b: REDACTED }], n: 1 });
  });
});
