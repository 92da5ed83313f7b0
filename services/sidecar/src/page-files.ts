import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** Kinds of file that are served; others in the folder (the type checker's configuration) are not. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** What the login form needs: shown without a token. */
const OPEN = ['page.css', 'theme.js', 'icon.svg'];

/** A file as it is served. */
export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** Whether it is served without a token. */
  readonly isOpen: boolean;
}

/** All that belongs to the page. */
export interface PageFiles {
  readonly index: Buffer;
  /** With the place {@link MESSAGE} for a sentence. */
  readonly login: string;
  readonly files: readonly PageFile[];
}

/** Where `login.html` takes a sentence. */
export const MESSAGE = '<!-- message -->';

/** Reads the folder `page/` beside this file: once, at start. */
export function readPageFiles(): PageFiles {
  const folder = new URL('./page/', import.meta.url);
  const read = (name: string) => readFileSync(new URL(name, folder));
  return {
    index: read('index.html'),
    login: read('login.html').toString('utf8'),
    files: readdirSync(folder).flatMap((name) => {
      const contentType = CONTENT_TYPES[extname(name)];
      if (contentType === undefined) return [];
      return [{ path: `/${name}`, contentType, body: read(name), isOpen: OPEN.includes(name) }];
    }),
  };
}
