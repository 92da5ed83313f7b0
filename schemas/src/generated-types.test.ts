import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('src/generated/records.ts is what avro/*.avsc gives', () => {
  const generate = fileURLToPath(new URL('../generate.ts', import.meta.url));
  expect(execFileSync(process.execPath, [generate, '--check'], { encoding: 'utf8' })).toBe('');
});
