/**
 * Writes `../src/grpc/generated` from the .proto files: TypeScript, and the descriptors that server reflection
 * answers with. Offline: buf with a plugin of node_modules. `--check` writes nothing, also lints, and exits 1
 * when something differs: that is how `make check` notices a .proto that was changed alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const PROTO = 'tickline/market_data/v1/market_data';
const folder = import.meta.dirname;
const target = join(folder, '../src/grpc/generated');
const bin = join(folder, '../../node_modules/.bin');

/** Runs buf in this folder, with the project's own plugins and Node first. */
function buf(...args: readonly string[]): Buffer {
  return execFileSync(join(bin, 'buf'), args, {
    cwd: folder,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The files by their place in `generated`. */
function generate(): ReadonlyMap<string, string> {
  const scratch = join(folder, '../../.tickline');
  mkdirSync(scratch, { recursive: true });
  const out = mkdtempSync(join(scratch, 'proto-'));
  try {
    // The template's `out` is relative to the folder of --output.
    buf('generate', '--output', join(out, 'a/b'));
    const name = `${PROTO}.ts`;
    const code = readFileSync(join(out, 'a/src/grpc/generated', name), 'utf8');
    const descriptors = buf('build', '--as-file-descriptor-set', '--exclude-source-info', '-o', '-');
    return new Map([
      [name, code],
      ['descriptors.ts', descriptorText(descriptors.toString('base64'))],
    ]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function descriptorText(base64: string): string {
  const lines = base64.match(/.{1,100}/g) ?? [];
  return [
    '// Written by schemas/proto/generate.ts; change the .proto files.\n\n',
    '/** A google.protobuf.FileDescriptorSet of all .proto files, in base64. */\n',
    'export const FILE_DESCRIPTOR_SET: string = [\n',
    ...lines.map((line) => `  '${line}',\n`),
    "].join('');\n",
  ].join('');
}

const check = process.argv.includes('--check');
if (check) {
  try {
    process.stdout.write(buf('lint'));
    buf('format', '--exit-code', '--diff');
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    process.stderr.write(`buf:\n${output}`);
    process.exit(1);
  }
}
for (const [name, text] of generate()) {
  const file = join(target, name);
  if (!check) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(
      `schemas/src/grpc/generated/${name} differs from schemas/proto: run \`node schemas/proto/generate.ts\`\n`,
    );
    process.exit(1);
  }
}
