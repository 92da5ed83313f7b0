/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** Replaces every known secret in a text. */
export type Redact = (text: string) => string;

/**
 * A function that takes the given secret values out of any text: as they are, and as they look within JSON, a
 * URL or base64. Empty secrets are ignored.
 */
export function createRedactor(secrets: Iterable<string>): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(encodeURIComponent(secret.toWellFormed()));
    forms.add(Buffer.from(secret).toString('base64'));
  }
  if (forms.size === 0) return (text) => text;
  // Longest first: of two secrets, one a part of the other, nothing of the longer may remain.
  const pattern = new RegExp(
    [...forms]
      .sort((a, b) => b.length - a.length)
      .map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
      .join('|'),
    'g',
  );
  return (text) => text.replace(pattern, REDACTED);
}

/** A replacer for `JSON.stringify` that redacts every string value; the JSON stays well-formed. */
export function redactingReplacer(redact: Redact): (key: string, value: unknown) => unknown {
  return (_key, value) => (typeof value === 'string' ? redact(value) : value);
}
