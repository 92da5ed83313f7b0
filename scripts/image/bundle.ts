import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runTool } from '../stack/run-tool.ts';
import {
  checkInstalled,
  installedBelow,
  type ProductionPackage,
  productionPackages,
  readLockedPackages,
} from './installed-packages.ts';
import { isNeededAtRunTime } from './package-files.ts';
import { sbomOf } from './sbom.ts';

const help = `Makes the production bundle: compiled programs, schemas and the packages they need, and nothing else.

  node scripts/image/bundle.ts [--out FOLDER] [--json]

  --out FOLDER  where it goes; what was there is replaced (default .tickline/bundle)
  --json        one line of JSON at the end: {"folder":…,"programs":[…],"packages":N,"files":N,"bytes":N}

Then: cd FOLDER && node services/ingestor/main.js run
`;

/** What was made. */
export interface Bundle {
  readonly folder: string;
  /** Their folders: `services/ingestor`. Each is started as `node FOLDER/main.js`. */
  readonly programs: readonly string[];
  /** Installed packages that were taken along, ours not counted. */
  readonly packages: number;
  readonly files: number;
  readonly bytes: number;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
}

/**
 * Starts a program. The kernel keeps from process 1 of a container every signal that it does not handle (pid_namespaces(7)),
 * so a pod that is told to end while its modules are still loaded would wait for the end of its grace period.
 */
const starter = `// Once the program has a handler of its own, that is the one that ends it.
const end = (signal) => {
  if (process.listenerCount(signal) === 1) process.exit(signal === 'SIGTERM' ? 143 : 130);
};
process.on('SIGTERM', end).on('SIGINT', end);
await import('./src/main.js');
`;

/**
 * Makes the production bundle of the repository at `root`. The packages are those that `npm ci` installed from the lock file,
 * looked for in `node_modules` and held against the lock file: no registry is asked, and the same sources give the same bytes.
 * It is made beside `folder` and put in its place when it is complete.
 */
export async function makeBundle(root: string, folder: string): Promise<Bundle> {
  const manifest = readManifest(root, '');
  const programs = (manifest.workspaces ?? []).filter((path) => existsSync(join(root, path, 'src/main.ts')));
  const packages = productionPackages(readLockedPackages(root), programs, installedBelow(root));
  checkInstalled(root, packages);
  const ours = packages.filter(({ workspace }) => workspace);
  const foreign = packages.filter(({ workspace }) => !workspace);

  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  try {
    await compile(root, made, ours);
    for (const { path } of ours) copyAssets(root, made, path);
    writeManifests(root, made, manifest, ours);
    for (const program of programs) {
      // Files lie beside the sources as in the repository: what they read relative to themselves is found.
      writeFileSync(join(made, program, 'main.js'), starter);
    }
    for (const { path } of foreign) copyPackage(join(root, path), join(made, path));
    linkWorkspaces(made, ours);
    writeFileSync(join(made, 'sbom.cdx.json'), `${JSON.stringify(sbomOf(manifest, packages), null, 2)}\n`);
    copyFileSync(join(root, 'LICENSE'), join(made, 'LICENSE'));
    // Others read it: a temporary folder is its owner's alone.
    chmodSync(made, 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  const sizes = filesBelow(folder).map((file) => lstatSync(join(folder, file)).size);
  return {
    folder,
    programs,
    packages: foreign.length,
    files: sizes.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Compiles what the programs reach by imports, so that tests and what only they need stay behind. */
async function compile(root: string, out: string, ours: readonly ProductionPackage[]): Promise<void> {
  const entries = ours.flatMap(({ path }) => [
    ...(existsSync(join(root, path, 'src/main.ts')) ? [join(root, path, 'src/main.ts')] : []),
    // A program's own exports are for tests.
    ...(path.startsWith('services/') ? [] : exportedFiles(root, path)),
  ]);
  const config = join(out, 'tsconfig.json');
  const options = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      rootDir: root,
      outDir: out,
      // Types are `make check`'s business.
      noCheck: true,
      types: [],
    },
    files: entries,
  };
  writeFileSync(config, JSON.stringify(options));
  await runTool(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]);
  rmSync(config);
}

function exportedFiles(root: string, path: string): string[] {
  return Object.values(readManifest(root, path).exports ?? {}).map((file) => join(root, path, file));
}

/** Everything that lies among the sources and is no source, and the current schemas. */
function copyAssets(root: string, out: string, path: string): void {
  const assets = filesBelow(join(root, path, 'src')).filter(
    (file) => !/\.[cm]?tsx?$|tsconfig\.json$/.test(file),
  );
  for (const file of assets) copy(join(root, path, 'src', file), join(out, path, 'src', file));
  const schemas = join(root, path, 'avro');
  if (!existsSync(schemas)) return;
  for (const file of readdirSync(schemas)) {
    if (file.endsWith('.avsc')) copy(join(schemas, file), join(out, path, 'avro', file));
  }
}

/** Manifests with nothing in them but what Node or a program reads. */
function writeManifests(
  root: string,
  out: string,
  manifest: Manifest,
  ours: readonly ProductionPackage[],
): void {
  for (const path of ['', ...ours.map((each) => each.path)]) {
    const { name, version, license, type, exports } = path === '' ? manifest : readManifest(root, path);
    const compiled = Object.entries(exports ?? {}).map(([key, file]) => [key, file.replace(/\.ts$/, '.js')]);
    const kept = {
      ...{ name, version, private: true, license, type },
      ...(path.startsWith('services/') || compiled.length === 0
        ? {}
        : { exports: Object.fromEntries(compiled) }),
    };
    writeFileSync(join(out, path, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`);
  }
}

function copyPackage(from: string, to: string): void {
  for (const file of filesBelow(from, (folder) => folder !== 'node_modules')) {
    if (isNeededAtRunTime(file)) copy(join(from, file), join(to, file));
  }
}

/** Libraries of ours are found by their name, as npm's workspaces are. */
function linkWorkspaces(out: string, ours: readonly ProductionPackage[]): void {
  for (const { path, name } of ours) {
    if (path.startsWith('services/')) continue;
    const link = join(out, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), join(out, path)), link);
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Files (and links) below a folder, with `/`, sorted. */
function filesBelow(folder: string, enter: (path: string) => boolean = () => true, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) return [path];
      return enter(path) ? filesBelow(folder, enter, path) : [];
    });
}

function readManifest(root: string, path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Manifest;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return;
  }
  const root = resolve(import.meta.dirname, '../..');
  const bundle = await makeBundle(root, resolve(values.out ?? join(root, '.tickline/bundle')));
  const { folder, programs, packages, files, bytes } = bundle;
  if (values.json === true) process.stdout.write(`${JSON.stringify(bundle)}\n`);
  else {
    const size = `${files} files, ${(bytes / 1e6).toFixed(1)} MB`;
    process.stdout.write(`${folder}: ${programs.join(', ')}, ${packages} packages, ${size}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`bundle: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
