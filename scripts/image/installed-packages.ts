import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package of `package-lock.json` (npm docs, "package-lock.json", `packages`), as far as we read it. */
export interface LockedPackage {
  /** Where the place does not tell it: of workspaces and aliases. */
  readonly name?: string;
  readonly version?: string;
  /** Subresource Integrity: `sha512-` and base64. Absent from workspaces. */
  readonly integrity?: string;
  readonly license?: string;
  /** A workspace: `resolved` is its folder. */
  readonly link?: boolean;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The lock file's packages by their place: `services/ingestor`, `node_modules/ws`, `node_modules/a/node_modules/b`. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** A package that a program needs when it runs. */
export interface ProductionPackage {
  /** Where it lies below the root: a workspace's own folder, or one below `node_modules/`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly locked: LockedPackage;
  /** One of ours, not from a registry. */
  readonly workspace: boolean;
  /** Places of the packages that it depends on, sorted. */
  readonly dependsOn: readonly string[];
}

/** Reads the lock file of a folder. */
export function readLockedPackages(root: string): LockedPackages {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: LockedPackages;
  };
  return lock.packages;
}

/**
 * What these workspaces need when they run, themselves included, by place: what they name as dependencies, and so on, each
 * found where Node would find it. A dependency for another platform (optional, and not there) is left out; any other that is
 * not there is an error.
 * @param isInstalled whether a place of the lock file exists
 */
export function productionPackages(
  locked: LockedPackages,
  workspaces: readonly string[],
  isInstalled: (path: string) => boolean,
): ProductionPackage[] {
  const found = new Map<string, ProductionPackage>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    const entry = locked[path];
    if (entry?.version === undefined) throw new Error(`package-lock.json has no version of ${path}`);
    const dependsOn: string[] = [];
    const name = nameAt(path, entry);
    const needed = { ...entry.peerDependencies, ...entry.optionalDependencies, ...entry.dependencies };
    for (const dependency of Object.keys(needed)) {
      const place = resolvePlace(locked, path, dependency);
      const required = entry.dependencies?.[dependency] !== undefined;
      if (place === undefined || !isInstalled(place)) {
        if (!required) continue;
        throw new Error(`${name} needs ${dependency}, which is not installed: run \`npm ci\``);
      }
      dependsOn.push(place);
    }
    found.set(path, {
      path,
      name,
      version: entry.version,
      locked: entry,
      workspace: !path.includes('node_modules/'),
      dependsOn: dependsOn.sort(),
    });
    for (const place of dependsOn) visit(place);
  };
  for (const workspace of workspaces) visit(workspace);
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Throws unless what lies in `node_modules` is what the lock file says, by name and version. */
export function checkInstalled(root: string, packages: readonly ProductionPackage[]): void {
  for (const { path, name, version } of packages) {
    const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    if (manifest.name === name && manifest.version === version) continue;
    throw new Error(
      `${path} holds ${manifest.name} ${manifest.version} and package-lock.json says ${name} ${version}: run \`npm ci\``,
    );
  }
}

/** Whether a place of the lock file is installed below a root. */
export function installedBelow(root: string): (path: string) => boolean {
  return (path) => existsSync(join(root, path, 'package.json'));
}

function nameAt(path: string, entry: LockedPackage): string {
  return entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** Node's way upwards through `node_modules` folders (Node docs, "Loading from node_modules folders"); links are followed. */
function resolvePlace(locked: LockedPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = parentOf(folder)) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const entry = locked[place];
    if (entry !== undefined) return entry.link === true ? entry.resolved : place;
    if (folder === '') return undefined;
  }
}

/** The next folder up: `services/ingestor` → `services` → the root, which is the empty text. */
function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}
