/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** Replaces every known secret in a text. */
export type Redact = (text: string) => string;

/**
 * A function that takes the given secret values out of any text: as they are, and as they look within JSON, a
 * URL or base64. Empty secrets are ignored.
 */
export function createRedactor(secrets: Iterable<string>): Redact {
  const known = new KnownSecrets(secrets);
  return known.redact;
}

/** The secrets of a process, to which others may be added: those of files that changed under it. */
export class KnownSecrets {
  private readonly secrets = new Set<string>();
  private replace: Redact = (text) => text;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.learn(secret);
  }

  /** Takes what is known by now out of a text. */
  readonly redact: Redact = (text) => this.replace(text);

  learn(secret: string): void {
    if (secret === '' || this.secrets.has(secret)) return;
    this.secrets.add(secret);
    this.replace = replacing(this.secrets);
  }
}

function replacing(secrets: Iterable<string>): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(encodeURIComponent(secret.toWellFormed()));
    for (const form of base64Forms(secret)) forms.add(form);
  }
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

/**
 * How a secret looks within base64 of more: where it begins in a group of three bytes decides (`user:secret` of
 * basic authentication); the letters that depend on its neighbours stay, at most one on either side.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [bytes.toString('base64')];
  // Shorter ones would take other texts for secrets.
  if (bytes.length < 6) return forms;
  for (const before of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    forms.push(shifted.toString('base64').slice(first, Math.floor((shifted.length * 8) / 6)));
  }
  return forms;
}

/** A replacer for `JSON.stringify` that redacts every string value; the JSON stays well-formed. */
export function redactingReplacer(redact: Redact): (key: string, value: unknown) => unknown {
  return (_key, value) => (typeof value === 'string' ? redact(value) : value);
}
