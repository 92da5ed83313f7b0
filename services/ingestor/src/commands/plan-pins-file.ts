import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { PinnedUnit } from '../sharding/shard-of.ts';

const HEADING = '# Written by `tickline-ingestor plan`; edits are lost when it is written again.';

/** Thrown instead of overwriting a file that `plan` did not write. */
export class ForeignFileError extends Error {
  override name = 'ForeignFileError';
}

/**
 * Pins as a configuration file of their own. It replaces the pins of the files before it, so that
 * those keep their comments and order.
 */
export function pinsYaml(pins: readonly PinnedUnit[]): string {
  const lines = pins.map(({ unit, shard }) => `    - { unit: ${JSON.stringify(unit)}, shard: ${shard} }`);
  return [
    HEADING,
    '# Give it after the others: --config base.yaml --config this-file.yaml',
    'shard:',
    ...(lines.length === 0 ? ['  pins: []'] : ['  pins:', ...lines]),
    '',
  ].join('\n');
}

/** Writes the pins, over an older version of them only. */
export function writePinsFile(path: string, pins: readonly PinnedUnit[]): void {
  if (existsSync(path) && !readFileSync(path, 'utf8').startsWith(HEADING)) {
    throw new ForeignFileError(
      `--out ${path} exists and is not a file of pins that plan wrote: name another`,
    );
  }
  writeFileSync(path, pinsYaml(pins));
}
