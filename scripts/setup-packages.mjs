// Installs the npm packages when what is installed is not what package-lock.json says, and nothing otherwise.
// Plain JavaScript without imports from packages: it runs on whatever Node the machine has, before the
// project's own Node 24 (itself such a package on Linux) is there. Everything it says goes to standard error.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedDiffers } from './setup-packages-differ.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const binaries = join(root, 'node_modules', '.bin');

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function differs() {
  return installedDiffers(
    readJson(join(root, 'package-lock.json')),
    readJson(join(root, 'node_modules', '.package-lock.json')),
  );
}

/** @param {string} text */
function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

// Two installations at the same time would delete each other's files. A holder that died leaves its pid.
const lock = join(root, '.tickline', 'packages.lock');
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(existsSync(lock) && readFileSync(lock, 'utf8'));
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
    else {
      if (!waited) process.stderr.write('packages: another process is installing them, waiting\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (differs()) {
  takeLock();
  process.on('exit', () => rmSync(lock, { force: true }));
  const reason = differs();
  if (reason) {
    process.stderr.write(`packages: npm ci (${reason})\n`);
    // The installation deletes node_modules: npm must not run on the Node that lies in there.
    const path = (process.env.PATH ?? '')
      .split(':')
      .filter((folder) => folder !== binaries)
      .join(':');
    const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: root,
      env: { ...process.env, PATH: path },
      stdio: ['ignore', 2, 2],
    });
    if (npm.error) fail(`can't run npm: ${npm.error.message}`);
    if (npm.status !== 0) fail(`npm ci failed (${npm.signal ?? npm.status})`);
    process.stderr.write('packages: installed\n');
  }
}

const node = spawnSync('node', ['--version'], {
  encoding: 'utf8',
  env: { ...process.env, PATH: `${binaries}:${process.env.PATH ?? ''}` },
});
if (Number(/^v(\d+)/.exec(node.stdout ?? '')?.[1]) < 24) {
  fail(
    `Tickline runs on Node 24 or later, and this is ${node.stdout.trim()}: no Node comes with the packages for ${process.platform}-${process.arch}, install Node 24`,
  );
}
