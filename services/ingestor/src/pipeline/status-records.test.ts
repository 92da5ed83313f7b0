import { avroType, CONFLUENT_HEADER_BYTES, type Status } from '@tickline/schemas';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EncodedTick, StreamDescriptor } from '../sinks/sink.ts';
import { type StatusEvent, StatusRecords, type StatusSubject } from './status-records.ts';

const subject = (symbol: string): StatusSubject => ({
  exchange: 'binance',
  symbol,
  exchangeSymbol: symbol,
  channel: 'trades',
});
const event = (state: StatusEvent['state'], time: number): StatusEvent => ({ time, state, reason: '' });

const type = avroType('status');

let room: number;
let written: string[];
let records: StatusRecords;

beforeEach(() => {
  room = Number.POSITIVE_INFINITY;
  written = [];
  const open = ({ key }: StreamDescriptor) => ({
    append(tick: EncodedTick): boolean {
      if (room === 0) return false;
      room--;
      const body = Buffer.from(tick.bytes.subarray(tick.start + CONFLUENT_HEADER_BYTES, tick.end));
      const { state, time } = type.fromBuffer(body) as Status;
      written.push(`${key} ${state} ${time} ${tick.timestampMs}`);
      return true;
    },
  });
  records = new StatusRecords(
    new Set(['avro']),
    () => 3,
    'producer',
    (descriptor) => [{ sink: 'kafka', stream: open(descriptor) }],
  );
});

describe('status records in a queue that is full', () => {
  it('keep those that tell of ticks, in order, until there is room', () => {
    room = 0;
    records.write(subject('A'), event('gap', 1_000));
    records.write(subject('B'), event('live', 2_000));
    records.write(subject('A'), event('gap', 3_000));
    expect(written).toEqual([]);
    expect(records.waiting).toBe(2);
    expect(records.refused).toBe(1);
    room = 1;
    expect(records.retry()).toBe(1);
    expect(records.retry()).toBe(0);
    expect(records.waiting).toBe(1);
    room = 2;
    records.write(subject('A'), event('repeated', 4_000));
    expect(written).toEqual([
      'binance:A:trades gap 1000 1',
      'binance:A:trades gap 3000 3',
      'binance:A:trades repeated 4000 4',
    ]);
    expect(records.waiting).toBe(0);
  });

  it('give up when too many wait, and count it', () => {
    room = 0;
    for (let time = 1; time <= 10_001; time++) records.write(subject('A'), event('gap', time * 1_000));
    expect(records.waiting).toBe(10_000);
    expect(records.refused).toBe(1);
    room = Number.POSITIVE_INFINITY;
    expect(records.retry()).toBe(10_000);
    expect(written.at(-1)).toBe('binance:A:trades gap 10000000 10000');
  });
});

describe('status records of several sinks', () => {
  it('wait for the one that is full, and go to the others once', () => {
    const rooms = { avro: [0, 9], json: [9] };
    const taken: string[] = [];
    records = new StatusRecords(
      new Set(['avro', 'json'] as const),
      () => 3,
      'producer',
      (_descriptor, format) =>
        rooms[format as keyof typeof rooms].map((_, at) => ({
          sink: `${format} ${at}`,
          stream: {
            append: () => {
              if (rooms[format as keyof typeof rooms][at] === 0) return false;
              taken.push(`${format} ${at}`);
              return true;
            },
          },
        })),
    );
    records.write(subject('A'), event('gap', 1_000));
    records.write(subject('A'), event('gap', 2_000));
    expect(taken).toEqual(['avro 1', 'json 0', 'avro 1', 'json 0']);
    expect(records.waiting).toBe(2);
    rooms.avro[0] = 9;
    expect(records.retry()).toBe(2);
    expect(taken.slice(4)).toEqual(['avro 0', 'avro 0']);
    expect(records.waiting).toBe(0);
  });

  it('go only to the sink that they are about, when they are about one', () => {
    const taken: string[] = [];
    records = new StatusRecords(
      new Set(['avro', 'json'] as const),
      () => 3,
      'producer',
      (_descriptor, format) =>
        ['one', 'two'].map((name) => ({
          sink: `${format} ${name}`,
          stream: { append: () => taken.push(`${format} ${name}`) > 0 },
        })),
    );
    records.write(subject('A'), event('gap', 1_000), 'json two');
    expect(taken).toEqual(['json two']);
  });
});
