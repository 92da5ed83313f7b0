import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identify, isRunning, parseProcStat } from './process-identity.ts';
import { isStale, readState, type StackState, sweepStaleStacks, writeState } from './state.ts';

const state = (owner: StackState['owner'], servers: StackState['servers'] = []): StackState => ({
  kind: 'jars',
  owner,
  servers,
  brokers: ['127.0.0.1:1'],
  registryUrl: null,
  folder: '/nowhere',
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-state-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a line of /proc/PID/stat', () => {
  it('is read from behind the name, which may hold blanks and parentheses', () => {
    const fields = ['S', ...Array.from({ length: 18 }, (_, i) => String(i)), '4711', '0'];
    expect(parseProcStat(`12 (a) b (c)) ${fields.join(' ')}`)).toEqual({ state: 'S', startTicks: '4711' });
    expect(parseProcStat('')).toBeUndefined();
  });
});

describe('a state', () => {
  it('is live while its owner runs', () => {
    expect(isStale(state(identify(process.pid)))).toBe(false);
  });

  it('is stale when the pid belongs to another process by now', () => {
    const owner = identify(process.pid);
    expect(isStale(state({ ...owner, startTime: `${owner.startTime}0` }))).toBe(true);
    expect(isStale(state({ pid: 5, startTime: 'a' }), () => 'b')).toBe(true);
    expect(isStale(state({ pid: 5, startTime: 'a' }), () => 'a')).toBe(false);
  });

  it('is stale when there is no such process', () => {
    expect(isStale(state({ pid: 5, startTime: 'a' }), () => undefined)).toBe(true);
  });

  it('reads as it was written, and as nothing when it is missing or broken', () => {
    const file = join(folder, 'deeper', 'stack.json');
    expect(readState(file)).toBeUndefined();
    const written = state(identify(process.pid));
    writeState(file, written);
    expect(readState(file)).toEqual(written);
    writeFileSync(file, '{"owner":');
    expect(readState(file)).toBeUndefined();
  });
});

describe('sweeping stale stacks', () => {
  it('kills the servers of a dead owner and removes its folder, and leaves a living one alone', async () => {
    const server = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(server, 'exit');
    const identity = identify(server.pid ?? -1);
    writeState(
      join(folder, '1-dead', 'stack.json'),
      state({ pid: process.pid, startTime: 'long ago' }, [{ ...identity, name: 'kafka-1' }]),
    );
    writeState(join(folder, '1-alive', 'stack.json'), state(identify(process.pid)));
    mkdirSync(join(folder, `${process.pid}-starting`));
    sweepStaleStacks(folder);
    await ended;
    expect(isRunning(identity)).toBe(false);
    expect(existsSync(join(folder, '1-dead'))).toBe(false);
    expect(existsSync(join(folder, '1-alive'))).toBe(true);
    expect(existsSync(join(folder, `${process.pid}-starting`))).toBe(true);
  });

  it('leaves a process alone that only has a dead server’s pid', () => {
    writeState(
      join(folder, '1-dead', 'stack.json'),
      state({ pid: process.pid, startTime: 'long ago' }, [
        { pid: process.pid, startTime: 'long ago', name: 'kafka-1' },
      ]),
    );
    sweepStaleStacks(folder);
    expect(existsSync(join(folder, '1-dead'))).toBe(false);
  });
});
