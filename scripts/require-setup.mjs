// Run before a command that needs the installed packages: says what to do when they are not there.
// Plain JavaScript without imports from packages, so that any Node runs it, even one too old for the rest.
import { existsSync } from 'node:fs';

// npm writes this file last, so a half-done installation does not count.
const installed = existsSync(new URL('../node_modules/.package-lock.json', import.meta.url));
if (!installed || Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('run `make setup` first\n');
  process.exitCode = 2;
}
