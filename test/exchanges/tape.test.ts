import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parseTape, replayTape } from './tape.ts';
import { testBench } from './test-bench.ts';

const { start, connect } = testBench();

const recording = [
  'wss://stream.example/ws <-> 1633998511.159679',
  'wss://stream.example/ws <- 1633998511.2: {"method":"SUBSCRIBE"}',
  '1633998512.0633569: {"u":1,"s":"BTCUSDT"}',
  '1633998512.1: {"u":2,"s":"BTCUSDT"}',
  'https://api.example/depth -> 1633998512.3: {"lastUpdateId":1}',
  '{"u":3}',
  '',
].join('\n');

describe('tape', () => {
  it('keeps received frames, with their times where recorded', () => {
    expect(parseTape(recording)).toEqual([
      { seconds: 1633998512.0633569, frame: '{"u":1,"s":"BTCUSDT"}' },
      { seconds: 1633998512.1, frame: '{"u":2,"s":"BTCUSDT"}' },
      { seconds: null, frame: '{"u":3}' },
    ]);
  });

  it('replays at the recorded pace', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    try {
      const frames = ['a', 'b', 'c'].map((frame, at) => ({ seconds: 100 + at * 30, frame }));
      const sent: string[] = [];
      const replay = replayTape(frames, { pace: 'recorded' }, (frame) => sent.push(frame) && 1);
      await vi.advanceTimersByTimeAsync(29_900);
      expect(sent).toEqual(['a']);
      await vi.advanceTimersByTimeAsync(200);
      expect(sent).toEqual(['a', 'b']);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await replay).toEqual({ frames: 3, written: 3 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('goes byte for byte to every open connection, or to one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tickline-tape-'));
    try {
      const file = join(folder, 'tape.txt');
      await writeFile(file, recording);
      const simulator = await start({ exchange: 'binance' });
      const first = await connect(`${simulator.url}/stream`);
      const second = await connect(`${simulator.url}/stream`);
      expect(await simulator.replay({ file, pace: 10_000 })).toEqual({ frames: 3, written: 6 });
      await simulator.replay({ file, connection: 'binance-2' });
      await second.until(() => second.frames.length === 6);
      await first.until(() => first.frames.length === 3);
      expect(first.frames).toEqual(['{"u":1,"s":"BTCUSDT"}', '{"u":2,"s":"BTCUSDT"}', '{"u":3}']);
      expect(simulator.stats()).toMatchObject({ tapeFrames: 9, frames: 0 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
