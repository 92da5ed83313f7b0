import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One package of `package-lock.json` (npm docs, "package-lock.json", lockfileVersion 3), as far as we read it. */
export interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
  [key: string]: unknown;
}

/** `package-lock.json`, as far as we read it. */
export interface LockFile {
  packages: Record<string, LockEntry>;
  [key: string]: unknown;
}

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
  'wasm32',
];

/** What a binary's package says about its platform by its name: `@biomejs/cli-linux-x64-musl`. */
export function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const words = name.slice(name.lastIndexOf('/') + 1).split('-');
  const system = systems.find((word) => words.includes(word));
  const processor = processors.find((word) => words.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return {
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(system === 'linux' && libc !== undefined ? { libc: [libc] } : {}),
    ...(system === undefined ? {} : { os: [system] }),
  };
}

/**
 * The entries a lock file lacks for optional dependencies, by their place in it.
 *
 * A registry that does not serve some platforms' binaries makes npm leave them out of the lock, and `npm ci`
 * then refuses it (`Missing: @biomejs/cli-darwin-arm64@ from lock file`). An entry with version and platform
 * is enough for `npm ci`; it has no integrity, which npm fills in where the package can be had.
 */
export function missingEntries(lock: LockFile): Record<string, LockEntry> {
  const missing: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isFound(lock, path, name)) continue;
      if (!/^\d+\.\d+\.\d+/.test(range)) {
        throw new Error(
          `${path} wants the optional ${name}@${range}, which is in no registry here: it needs an exact version`,
        );
      }
      missing[`node_modules/${name}`] = {
        version: range,
        ...(entry.dev === true ? { dev: true } : {}),
        optional: true,
        ...platformOf(name),
      };
    }
  }
  return missing;
}

/** Whether Node, from the package at `path`, would find `name`: in its own node_modules or one further up. */
function isFound(lock: LockFile, path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/')))) {
    const place = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
    if (place in lock.packages) return true;
    if (from === '') return false;
  }
}

/** The lock file with what it lacks, in npm's order (by place). */
export function completed(lock: LockFile): LockFile {
  const packages = Object.entries({ ...lock.packages, ...missingEntries(lock) });
  packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(packages) };
}

const help = `Completes package-lock.json with the other platforms' binaries, so that npm ci takes it everywhere.

  node scripts/lock-file.ts          write what is missing (after npm install)
  node scripts/lock-file.ts --check  write nothing; exit code 1 when something is missing
`;

function main(args: readonly string[]): number {
  if (args.includes('--help')) {
    console.log(help);
    return 0;
  }
  const file = join(import.meta.dirname, '../package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8')) as LockFile;
  const places = Object.keys(missingEntries(lock));
  if (places.length === 0) return 0;
  if (args.includes('--check')) {
    console.error(`package-lock.json lacks ${places.join(', ')}: run node scripts/lock-file.ts`);
    return 1;
  }
  writeFileSync(file, `${JSON.stringify(completed(lock), null, 2)}\n`);
  console.error(`package-lock.json: added ${places.join(', ')}`);
  return 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
