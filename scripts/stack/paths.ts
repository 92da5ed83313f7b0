import { join, resolve } from 'node:path';

/** The repository's root folder. */
export const repositoryRoot = resolve(import.meta.dirname, '../..');

/** The ignored folder below which everything this project writes at run time lives. */
export const ticklineFolder = join(repositoryRoot, '.tickline');

/** What was installed once and is used by every later run. Safe to delete. */
export const cacheFolder = join(ticklineFolder, 'cache');

/** One folder per running stack: data and logs of its servers, and who owns it. */
export const stacksFolder = join(ticklineFolder, 'stacks');

/** What `make stack` started, see {@link StackState}. */
export const stateFile = join(ticklineFolder, 'stack.json');
