import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { FrameReader } from './frame-reader.ts';

const MAX_PAYLOAD = 70_000;

interface Frame {
  first: number;
  payload: Buffer;
}

function encode({ first, payload }: Frame): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
  if (length < 0x10000)
    return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 0xff]), payload]);
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

/** Exported by ws (lib/receiver.js, wrapper.mjs) and not in its types. */
interface WsReceiver {
  write(bytes: Buffer): boolean;
  on(event: string, listener: (...args: never[]) => void): this;
}
const { Receiver } = ws as unknown as { Receiver: new (options: object) => WsReceiver };

/** What happened, in order, as `ws` alone reports it. */
function receiver(events: string[]): WsReceiver {
  const made = new Receiver({ maxPayload: MAX_PAYLOAD, isServer: false, skipUTF8Validation: true });
  made.on('message', (data: Buffer, isBinary: boolean) =>
    events.push(`message ${isBinary} ${data.toString('latin1')}`),
  );
  made.on('ping', (data: Buffer) => events.push(`ping ${data}`));
  made.on('pong', (data: Buffer) => events.push(`pong ${data}`));
  made.on('conclude', (code: number) => events.push(`close ${code}`));
  made.on('error', (error: Error) => events.push(`error ${error.message}`));
  return made;
}

function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length]!;
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

async function compare(
  frames: readonly Frame[],
  sizes: readonly number[],
): Promise<{ alone: string[]; ours: string[]; bypassed: number }> {
  const chunks = split(Buffer.concat(frames.map(encode)), sizes);
  const alone: string[] = [];
  const oracle = receiver(alone);
  for (const chunk of chunks) oracle.write(chunk);

  const ours: string[] = [];
  let bypassed = 0;
  const fallback = receiver(ours);
  const reader = new FrameReader(MAX_PAYLOAD, {
    message(bytes, start, end) {
      const data = bytes.subarray(start, end);
      bypassed++;
      ours.push(`message ${currentIsBinary(data, frames)} ${data.toString('latin1')}`);
    },
    passOn: (bytes) => fallback.write(bytes),
  });
  for (const chunk of chunks) reader.read(chunk);
  await errorsToo();
  return { alone, ours, bypassed };
}

/** A stream tells its errors in the next tick. */
function errorsToo(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Payloads are unique below, so that a message tells its frame. */
function currentIsBinary(data: Buffer, frames: readonly Frame[]): boolean {
  return frames.some((frame) => frame.first === 0x82 && frame.payload.equals(data));
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 124 }) },
  { weight: 3, arbitrary: fc.integer({ min: 120, max: 400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65_500, max: 66_000 }) },
);
const fragment = fc.integer({ min: 0, max: 400 });
/** A message: whole, or in fragments with control frames between them; or a control frame. */
const unit: fc.Arbitrary<(serial: number) => Frame[]> = fc.oneof(
  {
    weight: 6,
    arbitrary: size.map((length) => (serial: number) => [{ first: 0x81, payload: text(serial, length) }]),
  },
  {
    weight: 1,
    arbitrary: size.map((length) => (serial: number) => [{ first: 0x82, payload: text(serial, length) }]),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0x89, 0x8a)
      .map((first) => (serial: number) => [{ first, payload: text(serial, 4) }]),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fragment, fragment, fc.boolean()).map(([one, two, ping]) => (serial: number) => [
      { first: 0x01, payload: text(serial, one) },
      ...(ping ? [{ first: 0x89, payload: Buffer.from('between') }] : []),
      { first: 0x00, payload: text(serial, two) },
      { first: 0x80, payload: Buffer.alloc(0) },
    ]),
  },
);

function text(serial: number, length: number): Buffer {
  return Buffer.from(`${serial}:`.padEnd(length + 8, 'x'));
}

const streams = fc
  .array(unit, { minLength: 1, maxLength: 30 })
  .map((units) => units.flatMap((make, serial) => make(serial)));
const chunkSizes = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 700 }),
    fc.integer({ min: 1, max: 100_000 }),
  ),
  { minLength: 1, maxLength: 20 },
);

describe('FrameReader', () => {
  it('gives what ws alone gives, in the same order, however the bytes are cut', () => {
    return fc.assert(
      fc.asyncProperty(streams, chunkSizes, async (frames, sizes) => {
        const { alone, ours } = await compare(frames, sizes);
        expect(ours).toEqual(alone);
      }),
      { numRuns: 200 },
    );
  });

  it('bypasses ws for whole plain messages', async () => {
    const frames = Array.from({ length: 50 }, (_, serial) => ({ first: 0x81, payload: text(serial, 100) }));
    expect((await compare(frames, [1_000_000])).bypassed).toBe(50);
    expect((await compare(frames, [1])).bypassed).toBe(0);
  });

  it.each([
    ['a message that is too large', { first: 0x81, payload: Buffer.alloc(MAX_PAYLOAD + 1, 'x') }],
    ['a compressed message that nobody agreed to', { first: 0xc1, payload: Buffer.from('x') }],
    ['an unknown opcode', { first: 0x83, payload: Buffer.from('x') }],
    ['a continuation of nothing', { first: 0x80, payload: Buffer.from('x') }],
    ['a close', { first: 0x88, payload: Buffer.from([0x03, 0xe8]) }],
  ])('leaves %s to ws', async (_, frame) => {
    const { alone, ours } = await compare([{ first: 0x81, payload: text(0, 10) }, frame], [64]);
    expect(alone.length).toBeGreaterThan(1);
    expect(ours).toEqual(alone);
  });

  it('leaves a masked frame to ws', async () => {
    const events: string[] = [];
    const fallback = receiver(events);
    const reader = new FrameReader(MAX_PAYLOAD, {
      message: () => events.push('bypassed'),
      passOn: (bytes) => fallback.write(bytes),
    });
    reader.read(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5]));
    await errorsToo();
    expect(events).toEqual([expect.stringContaining('MASK must be clear')]);
  });
});
