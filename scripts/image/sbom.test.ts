import { describe, expect, it } from 'vitest';
import type { ProductionPackage } from './installed-packages.ts';
import { sbomOf } from './sbom.ts';

const application = { name: 'ours', version: '1.0.0', license: 'Apache-2.0' };

function installed(
  path: string,
  name: string,
  more: Partial<ProductionPackage> & { readonly integrity?: string; readonly license?: string } = {},
): ProductionPackage {
  const { integrity, license, ...rest } = more;
  const locked = {
    ...(integrity === undefined ? {} : { integrity }),
    ...(license === undefined ? {} : { license }),
  };
  return { path, name, version: '1.0.0', locked, workspace: false, dependsOn: [], ...rest };
}

const packages = [
  installed('services/a', '@ours/a', { workspace: true, dependsOn: ['node_modules/@x/y', 'node_modules/z'] }),
  installed('node_modules/@x/y', '@x/y', { license: '(MIT OR Apache-2.0)', dependsOn: ['node_modules/z'] }),
  installed('node_modules/z', 'z', { license: 'MIT', integrity: 'sha512-AP8Q' }),
  installed('node_modules/@x/y/node_modules/z', 'z', { license: 'MIT', integrity: 'sha512-AP8Q' }),
];

describe('the list of contents', () => {
  const sbom = sbomOf(application, packages);

  it('names every package once, by its package-url', () => {
    expect(sbom.components.map(({ purl }) => purl)).toEqual([
      'pkg:npm/%40ours/a@1.0.0',
      'pkg:npm/%40x/y@1.0.0',
      'pkg:npm/z@1.0.0',
    ]);
  });

  it('gives licences and hashes as CycloneDX wants them', () => {
    expect(sbom.components[1]).toMatchObject({
      group: '@x',
      name: 'y',
      licenses: [{ expression: '(MIT OR Apache-2.0)' }],
    });
    expect(sbom.components[2]).toMatchObject({
      name: 'z',
      licenses: [{ license: { id: 'MIT' } }],
      hashes: [{ alg: 'SHA-512', content: '00ff10' }],
    });
  });

  it('tells who depends on whom, from the application on', () => {
    expect(sbom.dependencies).toEqual([
      { ref: 'pkg:npm/%40ours/a@1.0.0', dependsOn: ['pkg:npm/%40x/y@1.0.0', 'pkg:npm/z@1.0.0'] },
      { ref: 'pkg:npm/%40x/y@1.0.0', dependsOn: ['pkg:npm/z@1.0.0'] },
      { ref: 'pkg:npm/ours@1.0.0', dependsOn: ['pkg:npm/%40ours/a@1.0.0'] },
      { ref: 'pkg:npm/z@1.0.0', dependsOn: [] },
    ]);
  });

  it('has the same serial number for the same contents, and another for others', () => {
    const uuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(sbom.serialNumber).toMatch(uuid);
    expect(sbomOf(application, packages).serialNumber).toBe(sbom.serialNumber);
    expect(sbomOf(application, packages.slice(0, 3)).serialNumber).toBe(sbom.serialNumber);
    const other = sbomOf({ ...application, version: '1.0.1' }, packages);
    expect(other.serialNumber).not.toBe(sbom.serialNumber);
  });

  it('refuses a hash that is none', () => {
    expect(() => sbomOf(application, [installed('node_modules/z', 'z', { integrity: 'sha1-AP8Q' })])).toThrow(
      'sha1-AP8Q is not a sha512',
    );
  });
});
