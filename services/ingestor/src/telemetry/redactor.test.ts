import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, KnownSecrets, REDACTED, redactingReplacer } from './redactor.ts';

describe('createRedactor', () => {
  it('takes a secret out wherever it stands', () => {
    const redact = createRedactor(['s3cr+t/"x"']);
    expect(redact('password s3cr+t/"x" refused')).toBe(`password ${REDACTED} refused`);
    expect(redact(JSON.stringify({ password: 's3cr+t/"x"' }))).toBe(`{"password":"${REDACTED}"}`);
    expect(redact(`http://u:${encodeURIComponent('s3cr+t/"x"')}@h`)).toBe(`http://u:${REDACTED}@h`);
    expect(redact(Buffer.from('s3cr+t/"x"').toString('base64'))).toBe(REDACTED);
  });

  it('takes a secret out of base64 of more than itself, wherever it begins there', () => {
    const redact = createRedactor(['hunter22-secret']);
    for (const user of ['a', 'ab', 'abc', 'abcd']) {
      const header = Buffer.from(`${user}:hunter22-secret!`).toString('base64');
      const left = Buffer.from(redact(header).replace(REDACTED, ''), 'base64').toString();
      expect(redact(header)).toContain(REDACTED);
      expect(left).not.toContain('secret');
    }
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

describe('KnownSecrets', () => {
  it('takes out what it learned later too', () => {
    const known = new KnownSecrets(['first']);
    const { redact } = known;
    expect(redact('first second')).toBe(`${REDACTED} second`);
    known.learn('second');
    known.learn('');
    expect(redact('first second')).toBe(`${REDACTED} ${REDACTED}`);
  });
});

describe('redactingReplacer', () => {
  it('keeps the JSON well-formed even when a secret looks like JSON', () => {
    const replacer = redactingReplacer(createRedactor(['":1', 'abc']));
    const text = JSON.stringify({ a: 'x":1', nested: [{ b: 'abc' }], n: 1 }, replacer);
    expect(JSON.parse(text)).toEqual({ a: `x${REDACTED}`, nested: [{ b: REDACTED }], n: 1 });
  });
});
