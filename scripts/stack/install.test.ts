import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installOnce } from './install.ts';
import { identify } from './process-identity.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-install-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const quiet = (): void => undefined;

describe('installing once', () => {
  it('fills a folder beside the target, which appears only when complete', async () => {
    const target = join(folder, 'thing');
    await installOnce(target, 'Thing', quiet, async (part) => {
      writeFileSync(join(part, 'file'), 'x');
      expect(existsSync(target)).toBe(false);
    });
    expect(readdirSync(folder)).toEqual(['thing']);
    expect(readdirSync(target)).toEqual(['file']);
  });

  it('leaves nothing behind when filling fails', async () => {
    await expect(
      installOnce(join(folder, 'thing'), 'Thing', quiet, () => Promise.reject(new Error('no network'))),
    ).rejects.toThrow('no network');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is done by one of two that want it at the same time; the other waits and says so', async () => {
    let fills = 0;
    const told: string[] = [];
    const fill = async (): Promise<void> => {
      fills++;
    };
    const install = () => installOnce(join(folder, 'thing'), 'Thing', (line) => told.push(line), fill);
    await Promise.all([install(), install()]);
    expect(fills).toBe(1);
    expect(told).toContain('Thing: another process is installing it, waiting');
  });

  it('takes over from a process that died in the middle', async () => {
    const dead = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(dead, 'exit');
    writeFileSync(join(folder, 'thing.lock'), JSON.stringify(identify(dead.pid ?? -1)));
    mkdirSync(join(folder, 'thing.part-1'));
    dead.kill('SIGKILL');
    await ended;
    await installOnce(join(folder, 'thing'), 'Thing', quiet, async () => undefined);
    expect(readdirSync(folder)).toEqual(['thing']);
  });
});
