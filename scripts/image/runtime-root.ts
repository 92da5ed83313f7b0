import { cpSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runTool } from '../stack/run-tool.ts';

const help = `Lays out the root of the final image: this Node, the shared libraries that it and the bundle's native
add-ons are linked to, an unprivileged user, and the bundle at /app. No shell, no package manager.

  node scripts/image/runtime-root.ts --bundle FOLDER --out FOLDER

Runs in the Dockerfile's build stage, on a Linux with glibc (Debian, not Alpine).
`;

/** Who the programs run as: a number, so that Kubernetes can tell that it is not root (`runAsNonRoot`). */
const user = { id: 10001, name: 'tickline' } as const;

/** What the loader says about a program's shared libraries. */
export interface Libraries {
  /** Where they are, the loader itself among them. */
  readonly paths: readonly string[];
  /** Names that it did not find. */
  readonly missing: readonly string[];
}

/** Reads `libm.so.6 => /lib/libm.so.6 (0x…)`, the loader's own `/lib64/ld-linux-x86-64.so.2 (0x…)` and `… => not found`. */
export function librariesIn(text: string): Libraries {
  const each = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!);
  return {
    paths: each(/(?:^|=>)\s*(\/\S+) \(0x/gm),
    missing: each(/^\s*(\S+) => not found$/gm),
  };
}

/** Asks the loader, as `ldd` does, which is not in every image. */
async function librariesOf(file: string, loader?: string): Promise<Libraries> {
  const [command, args] = loader === undefined ? [file, []] : [loader, [file]];
  const text = await runTool(command, args, { env: { ...process.env, LD_TRACE_LOADED_OBJECTS: '1' } });
  return librariesIn(text);
}

/**
 * Libraries without anything in them since glibc 2.34 (its release notes: all is in libc.so.6), which old programs still ask
 * for by name and version. A base that was cut down to what Node is linked to may lack one: any other serves in its place.
 */
const empty = ['libdl.so.2', 'libpthread.so.0', 'librt.so.1'];

function addOnsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.node'))
    .map((file) => join(folder, file));
}

/** Fills `out`. */
async function layOut(bundle: string, out: string): Promise<void> {
  const node = realpathSync(process.execPath);
  const ofNode = await librariesOf(node);
  const loader = ofNode.paths.find((path) => basename(path).startsWith('ld-linux'));
  if (loader === undefined) throw new Error(`the libraries of ${node} are unknown: take a base with glibc`);
  const ofAddOns = await Promise.all(addOnsBelow(bundle).map((file) => librariesOf(file, loader)));
  const all = [ofNode, ...ofAddOns];
  const paths = new Set(all.flatMap((libraries) => libraries.paths));
  // Under the names by which the loader asks for them; links are followed.
  for (const path of paths) copy(path, join(out, path));
  for (const name of new Set(all.flatMap((libraries) => libraries.missing))) {
    const other = [...paths].find((path) => empty.includes(basename(path)));
    if (!empty.includes(name) || other === undefined) throw new Error(`the base image has no ${name}`);
    copy(other, join(out, dirname(other), name));
  }
  copy(node, join(out, 'usr/local/bin/node'));
  cpSync(bundle, join(out, 'app'), { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(out, 'etc'), { recursive: true });
  writeFileSync(join(out, 'etc/passwd'), `${user.name}:x:${user.id}:${user.id}::/app:/sbin/nologin\n`);
  writeFileSync(join(out, 'etc/group'), `${user.name}:x:${user.id}:\n`);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { bundle: { type: 'string' }, out: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return;
  }
  if (values.bundle === undefined || values.out === undefined)
    throw new Error('--bundle and --out are needed');
  await layOut(resolve(values.bundle), resolve(values.out));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`runtime-root: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
