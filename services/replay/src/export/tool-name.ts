import { readFileSync } from 'node:fs';

/**
 * Who writes: what the bytes of an export depend on beside its records. `tickline 0.1.0 (Node 24.21.0, zstd 1.5.7)`.
 */
export function toolName(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return `tickline ${version} (Node ${process.versions.node}, zstd ${process.versions.zstd ?? 'unknown'})`;
}
