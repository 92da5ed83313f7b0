import { EXCHANGES, type ExchangeName } from '@tickline/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameCases } from '../../../../test/frames/frame-cases.ts';
import { frameInstruments } from '../../../../test/frames/instruments.ts';
import { type ContractFacts, expectedTicks } from '../../../../test/frames/oracle.ts';
import { Recorder } from '../../../../test/frames/recorder.ts';
import { INVALID_REASONS } from './exchange.ts';
import { InstrumentIndex } from './instrument-index.ts';
import { exchanges } from './registry.ts';
import { decodeFrame } from './testing/decode-frame.ts';

function decoderOf(exchange: ExchangeName) {
  const index = new InstrumentIndex();
  for (const instrument of frameInstruments[exchange]) index.add(instrument);
  return exchanges[exchange].createDecoder(index);
}

function contractsOf(exchange: ExchangeName) {
  return (name: string): ContractFacts | undefined => {
    const found = frameInstruments[exchange].find(({ exchangeSymbol }) => exchangeSymbol === name);
    return found === undefined || found.kind === 'spot'
      ? undefined
      : { size: found.contractSize, inverse: found.inverse };
  };
}

describe.each(EXCHANGES)('our own frames of %s', { timeout: 60_000 }, (exchange) => {
  const decoder = decoderOf(exchange);
  const cases = frameCases(exchange);

  it.each(cases)('$note', ({ frame, ticks, control, error }) => {
    const recorder = new Recorder();
    const bytes = Buffer.from(frame);
    const before = Buffer.from(bytes);
    decoder.decode(bytes, 0, bytes.length, recorder);
    const all = ticks.length === 0 ? [] : expectedTicks(exchange, frame, contractsOf(exchange));
    expect(recorder.ticks).toEqual(ticks.map((at) => all[at]));
    expect(recorder.controls.map(({ kind }) => kind)).toEqual(control === null ? [] : [control]);
    expect(recorder.errors.map(({ reason }) => reason)).toEqual(error === null ? [] : [error]);
    // The frame may go to the dead letters: it stays as received.
    expect(bytes.equals(before)).toBe(true);
  });

  it('covers every reason, and both channels', () => {
    const reasons = new Set(cases.map(({ error }) => error));
    expect(INVALID_REASONS.filter((reason) => !reasons.has(reason))).toEqual([]);
    const recorder = new Recorder();
    for (const { frame } of cases) decodeFrame(decoder, frame, recorder);
    expect(new Set(recorder.ticks.map(({ channel }) => channel))).toEqual(new Set(['trades', 'quotes']));
  });

  it('decodes a view into a larger buffer', () => {
    for (const { frame } of cases) {
      const whole = Buffer.from(`xx${frame}yy`);
      const [direct, viewed] = [new Recorder(), new Recorder()];
      decodeFrame(decoder, frame, direct);
      decodeFrame(decoder, whole.subarray(2, whole.length - 2), viewed);
      expect(viewed).toEqual(direct);
    }
  });

  it('never throws on damaged frames, and never gives a tick without a price', () => {
    const frames = cases.map(({ frame }) => Buffer.from(frame));
    const damage = fc.record({
      frame: fc.nat(frames.length - 1),
      edits: fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), { maxLength: 4 }),
      cut: fc.option(fc.nat(), { nil: null }),
    });
    fc.assert(
      fc.property(damage, ({ frame, edits, cut }) => {
        const bytes = Buffer.from(frames[frame]!);
        for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
        const recorder = new Recorder();
        decodeFrame(decoder, cut === null ? bytes : bytes.subarray(0, cut % bytes.length), recorder);
        for (const tick of recorder.ticks) {
          if (tick.channel === 'trades')
            expect([tick.price, tick.quantity, tick.tradeId]).not.toContain(null);
          else expect(tick.bidPrice === null).toBe(tick.bidQuantity === null);
        }
        for (const { detail } of recorder.errors) expect(detail).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives every tick the same after a damaged frame as before', () => {
    // Drafts are reused: nothing of a frame that was refused half way may show in the next.
    const good = cases.filter(({ ticks, error }) => ticks.length > 0 && error === null);
    const bad = cases.filter(({ error }) => error !== null);
    for (const [at, { frame }] of good.entries()) {
      const [fresh, used] = [new Recorder(), new Recorder()];
      decodeFrame(decoderOf(exchange), frame, fresh);
      decodeFrame(decoder, bad[at % bad.length]!.frame, new Recorder());
      decodeFrame(decoder, frame, used);
      expect(used).toEqual(fresh);
    }
  });
});
