import { cpSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeBundle } from '../image/bundle.ts';
import { librariesIn } from '../image/runtime-root.ts';
import { installKafka, installRegistry, kafkaClassPath, registryJar } from '../stack/install.ts';
import { javaCommand } from '../stack/java.ts';
import { repositoryRoot } from '../stack/paths.ts';
import { runTool } from '../stack/run-tool.ts';

const help = `Fills a folder from which the image of the cluster's test stack is built: Kafka and the schema registry from the cache
(fetched by Maven the first time), the simulated exchanges, the audit, and the packages they need.

  node scripts/cluster/stack-context.ts [--out FOLDER]
  node scripts/cluster/stack-context.ts --jre [--out FOLDER]

  --out FOLDER  what was there is replaced (default .tickline/cluster/stack, with --jre .tickline/cluster/jre)
  --jre         a folder for an image with this machine's Java 17 instead, where none can be pulled (Linux)

Then: docker build --tag tickline-test-stack:dev FOLDER    (--build-arg JRE_IMAGE=… NODE_IMAGE=…)
`;

/** What runs in the test stack besides Java: relative to the repository, and to `/stack/app`. */
const sources = [
  'test/exchanges',
  'test/cluster',
  'scripts/cluster/audit',
  'scripts/stack/registry-schemas.ts',
];

async function stackContext(out: string): Promise<void> {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  await installKafka(tell);
  await installRegistry(tell);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  // The packages of the bundle are what the simulators and the audit need; its programs are not.
  await makeBundle(repositoryRoot, join(out, 'app'));
  rmSync(join(out, 'app/services'), { recursive: true });
  for (const source of sources) {
    cpSync(join(repositoryRoot, source), join(out, 'app', source), {
      recursive: true,
      filter: (path) => !/\.test\.ts$|\/Dockerfile$/.test(path),
    });
  }
  cpSync(dirname(kafkaClassPath), join(out, 'kafka'), { recursive: true });
  cpSync(join(import.meta.dirname, '../stack/log4j2.properties'), join(out, 'kafka/log4j2.properties'));
  cpSync(dirname(registryJar), join(out, 'registry'), { recursive: true });
  // Its name without the version: only this file knows that.
  renameSync(
    join(out, 'registry', basename(registryJar)),
    join(out, 'registry/apicurio-registry-app-runner.jar'),
  );
  cpSync(join(repositoryRoot, 'test/cluster/Dockerfile'), join(out, 'Dockerfile'));
}

/** Libraries of glibc itself: a base has its own, and they do not mix. */
const ofGlibc = /^(ld-linux|libc\.|libm\.|libdl\.|librt\.|libpthread\.)/;

/** Java's folder, with what its links point to and the libraries that it is linked to. */
async function jreContext(out: string): Promise<void> {
  const settings = await runTool('sh', ['-c', '"$0" -XshowSettings:properties -version 2>&1', javaCommand()]);
  const home = /java\.home = (.+)/.exec(settings)?.[1];
  if (home === undefined) throw new Error('java does not tell its home: Java 17 is needed');
  const runtime = join(out, 'openjdk');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  cpSync(home, runtime, {
    recursive: true,
    dereference: true,
    // Links to what is not installed, and what only compiling needs.
    filter: (path) => existsSync(path) && !/\/(jmods|man|docs|legal|src\.zip|ct\.sym)$/.test(path),
  });
  const linked = [join(home, 'bin/java'), join(home, 'lib/server/libjvm.so')];
  const loader = librariesIn(await traced(linked[0]!, [])).paths.find((path) => /\/ld-linux/.test(path))!;
  for (const file of linked) {
    for (const path of librariesIn(await traced(loader, [file])).paths) {
      const own = realpathSync(path).startsWith(realpathSync(home));
      if (!own && !ofGlibc.test(basename(path)))
        cpSync(realpathSync(path), join(runtime, 'lib', basename(path)));
    }
  }
  writeFileSync(join(out, 'Dockerfile'), 'FROM scratch\nCOPY openjdk /opt/java/openjdk\n');
}

function traced(command: string, args: readonly string[]): Promise<string> {
  return runTool(command, args, { env: { ...process.env, LD_TRACE_LOADED_OBJECTS: '1' } });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, jre: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return;
  }
  const jre = values.jre === true;
  const out = resolve(values.out ?? join(repositoryRoot, '.tickline/cluster', jre ? 'jre' : 'stack'));
  await (jre ? jreContext(out) : stackContext(out));
  process.stdout.write(`${out}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`stack-context: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
