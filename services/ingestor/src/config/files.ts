import { readFileSync } from 'node:fs';
import { plainSymbol } from './domain-formats.ts';
import { isMisfit } from './format.ts';
import { reasonOf } from './settings.ts';

/** Thrown for a file that a key names and that can't be used; the message is a sentence about the key. */
export class UnusableFileError extends Error {
  override name = 'UnusableFileError';
}

/** The secret in a file, without the line end that editors and `echo` leave behind it. */
export function readSecretFile(path: string): string {
  const secret = textOf(path).replace(/\r?\n$/, '');
  if (secret === '') throw new UnusableFileError(`names ${path}, which is empty`);
  return secret;
}

/** Symbols and patterns of a file: one on a line, blank lines and `#` comments aside, or a JSON list. */
export function readSymbolsFile(path: string): string[] {
  const text = textOf(path);
  const symbols = text.trimStart().startsWith('[') ? jsonList(path, text) : lines(text);
  const format = plainSymbol();
  for (const [at, symbol] of symbols.entries()) {
    const read = format.read(symbol);
    if (isMisfit(read)) {
      const hint = read.nearest === null ? '' : ` (did you mean ${read.nearest}?)`;
      throw new UnusableFileError(`names ${path}, whose symbol ${at + 1} ${read.problem}${hint}`);
    }
  }
  if (symbols.length === 0) throw new UnusableFileError(`names ${path}, which holds no symbol`);
  return symbols;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

function jsonList(path: string, text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnusableFileError(`names ${path}, which is not JSON: ${reasonOf(error)}`);
  }
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new UnusableFileError(`names ${path}, which is not a JSON list of symbols`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UnusableFileError(`names ${path}, which can't be read: ${reasonOf(error)}`);
  }
}
