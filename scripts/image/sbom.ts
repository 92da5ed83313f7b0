import { createHash } from 'node:crypto';
import type { ProductionPackage } from './installed-packages.ts';

/** One component (CycloneDX 1.6, "components"). */
export interface Component {
  readonly type: 'application' | 'library';
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly (
    | { readonly license: { readonly id: string } }
    | { readonly expression: string }
  )[];
  readonly purl: string;
}

/** A CycloneDX 1.6 list of contents, as far as we write it. */
export interface Sbom {
  readonly $schema: string;
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The list of what a bundle contains. It has no time of making, and its serial number is derived from the contents: the same
 * packages give the same bytes. (`npm sbom --omit dev` is not used: npm 11 leaves out what a workspace needs when the root
 * names it as a development dependency as well, kafkajs and ws among them.)
 */
export function sbomOf(
  application: { readonly name: string; readonly version: string; readonly license: string },
  packages: readonly ProductionPackage[],
): Sbom {
  const references = new Map(packages.map((each) => [each.path, referenceOf(each)]));
  const self = componentOf('application', application.name, application.version, {
    license: application.license,
  });
  const components = unique(
    packages.map((each) => componentOf('library', each.name, each.version, each.locked)),
  );
  const edges = new Map<string, Set<string>>();
  for (const each of packages) {
    const reference = referenceOf(each);
    const targets = edges.get(reference) ?? new Set();
    for (const place of each.dependsOn) targets.add(references.get(place)!);
    edges.set(reference, targets);
  }
  const programs = packages.filter(({ workspace, path }) => workspace && path.startsWith('services/'));
  edges.set(self['bom-ref'], new Set(programs.map(referenceOf)));
  const dependencies = [...edges]
    .map(([ref, targets]) => ({ ref, dependsOn: [...targets].sort() }))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([self, components, dependencies]))}`,
    version: 1,
    metadata: { component: self },
    components,
    dependencies,
  };
}

/** A package's address in the package-url specification: the `@` of a scope is written `%40`. */
export function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function referenceOf({ name, version }: ProductionPackage): string {
  return purlOf(name, version);
}

function componentOf(
  type: Component['type'],
  fullName: string,
  version: string,
  { integrity, license }: { readonly integrity?: string; readonly license?: string },
): Component {
  const slash = fullName.indexOf('/');
  const purl = purlOf(fullName, version);
  return {
    type,
    'bom-ref': purl,
    ...(slash === -1 ? {} : { group: fullName.slice(0, slash) }),
    name: fullName.slice(slash + 1),
    version,
    ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
    ...(license === undefined ? {} : { licenses: [licenceOf(license)] }),
    purl,
  };
}

/** `sha512-` and base64 (W3C Subresource Integrity) as CycloneDX wants it: hexadecimal. */
function hashOf(integrity: string): { alg: 'SHA-512'; content: string } {
  if (!integrity.startsWith('sha512-')) throw new Error(`package-lock.json: ${integrity} is not a sha512`);
  return {
    alg: 'SHA-512',
    content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex'),
  };
}

/** An SPDX expression of several licences is not an id. */
function licenceOf(license: string): { license: { id: string } } | { expression: string } {
  return / (OR|AND|WITH) /.test(license) ? { expression: license } : { license: { id: license } };
}

/** The same package at two places is one component. */
function unique(components: readonly Component[]): Component[] {
  const byReference = new Map(components.map((component) => [component['bom-ref'], component]));
  return [...byReference.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** A version 8 UUID (RFC 9562 section 5.8: contents of one's own choice): the first bits of a SHA-256. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
