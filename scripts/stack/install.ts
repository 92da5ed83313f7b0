import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheFolder } from './paths.ts';
import { withLock } from './process-lock.ts';
import { runTool } from './run-tool.ts';

/** Told what goes on while something slow happens, a line at a time. */
export type OnProgress = (line: string) => void;

/** Kafka's version, the one in pom.xml. */
export const kafkaVersion = '4.3.1';
/** Apicurio Registry's version. */
export const registryVersion = '3.0.9';
const kafkaFolder = join(cacheFolder, `kafka-${kafkaVersion}`);
const registryFolder = join(cacheFolder, `apicurio-registry-${registryVersion}`);

/** Where a registry's runnable jar lies, its libraries beside it. */
export const registryJar = join(registryFolder, `apicurio-registry-app-${registryVersion}-runner.jar`);

/** Kafka's class path, as `java -cp` takes it. */
export const kafkaClassPath = join(kafkaFolder, '*');

/** Whether Kafka's jars are in place. */
export function kafkaInstalled(): boolean {
  return existsSync(kafkaFolder);
}

/** Whether the registry is in place. */
export function registryInstalled(): boolean {
  return existsSync(registryFolder);
}

/** Puts Kafka's jars in place (54 MB, by Maven) unless they are. */
export async function installKafka(onProgress: OnProgress): Promise<void> {
  await installOnce(kafkaFolder, `Kafka ${kafkaVersion}`, onProgress, async (folder) => {
    await maven(
      ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`],
      `Kafka ${kafkaVersion} (54 MB)`,
      onProgress,
    );
  });
}

/** Puts the schema registry in place (109 MB, by Maven) unless it is. */
export async function installRegistry(onProgress: OnProgress): Promise<void> {
  await installOnce(registryFolder, `Apicurio Registry ${registryVersion}`, onProgress, async (folder) => {
    const artifact = `io.apicurio:apicurio-registry-app:${registryVersion}:tar.gz:all`;
    await maven(
      ['dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`],
      `Apicurio Registry ${registryVersion} (109 MB)`,
      onProgress,
    );
    const archive = join(folder, `apicurio-registry-app-${registryVersion}-all.tar.gz`);
    await runTool('tar', ['-xzf', archive, '-C', folder]);
    rmSync(archive);
  });
}

/**
 * Fills `target` by `fill`, once and whole: the work is done in a folder beside it, which is renamed at the
 * end, so that `target` exists only when it is complete; a second process that wants the same waits.
 */
export async function installOnce(
  target: string,
  name: string,
  onProgress: OnProgress,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  if (existsSync(target)) return;
  const parent = dirname(target);
  mkdirSync(parent, { recursive: true });
  await withLock(
    `${target}.lock`,
    async () => {
      if (existsSync(target)) return;
      const temporary = `${target}.part-${process.pid}`;
      for (const entry of readdirSync(parent)) {
        if (entry.startsWith(`${basename(target)}.part-`)) rmSync(join(parent, entry), { recursive: true });
      }
      mkdirSync(temporary);
      const started = performance.now();
      try {
        await fill(temporary);
        renameSync(temporary, target);
      } catch (error) {
        rmSync(temporary, { recursive: true, force: true });
        throw error;
      }
      onProgress(`${name}: installed in ${Math.round((performance.now() - started) / 1000)} s`);
    },
    () => onProgress(`${name}: another process is installing it, waiting`),
  );
}

async function maven(args: readonly string[], name: string, onProgress: OnProgress): Promise<void> {
  onProgress(`${name}: fetching by Maven`);
  let files = 0;
  let reported = performance.now();
  await runTool('mvn', ['-B', '-f', join(import.meta.dirname, 'pom.xml'), ...args], {
    onLine: (line) => {
      if (!line.includes('Downloaded from')) return;
      files++;
      if (performance.now() - reported < 3000) return;
      reported = performance.now();
      onProgress(`${name}: ${files} files fetched`);
    },
  });
}
