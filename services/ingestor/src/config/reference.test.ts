import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfig, loadSections, readCommandLine } from '../config.ts';
import { configurationReference, REFERENCE_FILE } from './reference.ts';

const EXAMPLES = fileURLToPath(new URL('../../../../examples/config/', import.meta.url));

describe('docs/configuration.md', () => {
  it('is what `node services/ingestor/src/config/reference.ts` writes', () => {
    expect(readFileSync(REFERENCE_FILE, 'utf8')).toBe(configurationReference());
  });
});

describe('examples/config', () => {
  const whole = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml') && !name.startsWith('pins'));

  it('holds examples', () => {
    expect(whole.length).toBeGreaterThan(2);
  });

  it.each(whole)('%s is valid once a pod knows its shard', (name) => {
    const text = readFileSync(`${EXAMPLES}${name}`, 'utf8');
    const env = text.includes('mechanism:') ? { TICKLINE_KAFKA_SASL_PASSWORD: 'x' } : {};
    const config = loadConfig(['--config', `${EXAMPLES}${name}`, '--shard.index=0'], env);
    expect(Object.keys(config.exchanges).length).toBeGreaterThan(0);
  });

  it('has pins that fit the fleet', () => {
    const files = ['--config', `${EXAMPLES}fleet.yaml`, '--config', `${EXAMPLES}pins.yaml`];
    const { shard } = loadSections(readCommandLine(files), {}, ['shard', 'exchanges']);
    expect(shard.pins.length).toBeGreaterThan(0);
  });
});
