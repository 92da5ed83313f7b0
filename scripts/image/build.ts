import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const help = `Builds the container image from the Dockerfile.

  node scripts/image/build.ts [--tag NAME:TAG] [--base IMAGE] [--engine docker|podman|buildah]

  --tag NAME:TAG  what it is called (default tickline:VERSION; environment: IMAGE)
  --base IMAGE    an image with Node 24, npm and glibc to build it with (default: the Dockerfile's; environment: BASE_IMAGE)
  --engine NAME   what builds it (default: the first of docker, podman, buildah that works; environment: ENGINE)
`;

const engines = ['docker', 'podman', 'buildah'] as const;

/** What is to be built; null: the Dockerfile's own. */
export interface ImageRequest {
  readonly tag: string;
  readonly base: string | null;
  readonly version: string;
  /** The commit it is built from; null when it is not known. */
  readonly revision: string | null;
}

/** The command that builds it, run in the repository's root. */
export function buildCommand(engine: string, { tag, base, version, revision }: ImageRequest): string[] {
  const given = { BASE_IMAGE: base, VERSION: version, REVISION: revision };
  const settings = Object.entries(given).flatMap(([name, value]) =>
    value === null ? [] : ['--build-arg', `${name}=${value}`],
  );
  return [engine, engine === 'buildah' ? 'bud' : 'build', ...settings, '--tag', tag, '.'];
}

/** The engine that was asked for, or the first that works here. */
export function chooseEngine(asked: string | undefined, works: (name: string) => boolean): string {
  const found = asked === undefined ? engines.find(works) : asked;
  if (found !== undefined && works(found)) return found;
  const missing = asked === undefined ? `none of ${engines.join(', ')} works` : `${asked} does not work`;
  throw new Error(
    `${missing} here: install a container engine (on Debian: apt-get install buildah) or start its daemon`,
  );
}

function main(): number {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string' },
      base: { type: 'string' },
      engine: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const root = resolve(import.meta.dirname, '../..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const { IMAGE, BASE_IMAGE, ENGINE } = process.env;
  // Docker's command line may be there without a daemon that answers.
  const works = (name: string): boolean => spawnSync(name, ['info'], { stdio: 'ignore' }).status === 0;
  const engine = chooseEngine(values.engine ?? ENGINE, works);
  const revision = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const [command, ...args] = buildCommand(engine, {
    tag: values.tag ?? IMAGE ?? `tickline:${version}`,
    base: values.base ?? BASE_IMAGE ?? null,
    version,
    revision: revision.status === 0 ? revision.stdout.trim() : null,
  });
  process.stderr.write(`${[command, ...args].join(' ')}\n`);
  return spawnSync(command!, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main();
  } catch (error) {
    process.stderr.write(`image: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
