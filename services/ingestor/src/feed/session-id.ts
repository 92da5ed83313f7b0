const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** 12 random characters of `[0-9a-z]`: 62 bits. */
export function sessionId(random: () => number): string {
  let id = '';
  for (let at = 0; at < 12; at++) id += ALPHABET[Math.floor(random() * ALPHABET.length)];
  return id;
}

let sessions = 0;

/** Counts the sessions of this process, all feeds together, from 1. */
export function nextSessionOrdinal(): number {
  return ++sessions;
}
