import { parseAvroSchema, type Quote, schemaText, type Trade } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { eventually } from '../support/eventually.ts';
import { jsonLinesOf, TicklineProcess, tickline } from './support/run-tickline.ts';
import { quoteAt, recordOf, TopicWriter, tradeAt, type WantedRecord } from './support/topic-writer.ts';

/** A round time that is not too old for retention; microseconds. */
const START = Math.floor(Date.now() / 1000 - 3600) * 1_000_000;
const SECOND = 1_000_000;

let stack: Stack;
let writer: TopicWriter;
let prefixes = 0;

beforeAll(async () => {
  stack = await startStack();
  writer = await TopicWriter.open(stack);
});

afterAll(async () => {
  await writer?.close();
  await stack?.stop();
});

/** Topics of a test's own. */
async function freshTopic(channel: 'trades' | 'quotes', partitions: number, prefix = `t${++prefixes}.`) {
  const topic = `${prefix}${channel}`;
  await writer.createTopic(topic, partitions);
  return { prefix, topic, id: await writer.registerOurs(topic, channel) };
}

function flags(prefix: string): string[] {
  return [
    '--kafka.brokers',
    stack.brokers.join(','),
    '--registry.url',
    stack.registryUrl,
    '--kafka.topicPrefix',
    prefix,
  ];
}

async function replay(prefix: string, ...args: string[]) {
  const result = await tickline(['replay', 'trades', '--speed', 'max', ...args, ...flags(prefix)]);
  return { ...result, trades: jsonLinesOf<Trade>(result.stdout) };
}

function iso(micros: number): string {
  return new Date(micros / 1000).toISOString();
}

describe('order', () => {
  it('is that of receive times over partitions, which are themselves a little out of order', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 4);
    // Each second three pods write to each partition, one of them 3 s late.
    const records: WantedRecord[] = [];
    const times: number[] = [];
    for (let tick = 0; tick < 4000; tick++) {
      const late = tick % 3 === 0 ? 3 * SECOND : 0;
      const receiveTime = START + tick * 10_000 - late + 3 * SECOND;
      times.push(receiveTime);
      records.push(
        recordOf('trades', id, tick % 4, tradeAt(receiveTime, { tradeId: String(tick), sequence: tick })),
      );
    }
    await writer.write(topic, records, { batchSize: 97 });
    const { code, trades, stderr } = await replay(prefix);
    expect(stderr).toMatch(/^replayed 4,000 records in [^,]*, 0 others passed over\n$/);
    expect(code).toBe(0);
    expect(trades.map(({ receiveTime }) => receiveTime)).toEqual(times.sort((a, b) => a - b));
    expect(new Set(trades.map(({ tradeId }) => tradeId)).size).toBe(4000);
  });

  it('is kept over topics with --merge, and each line says its channel', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 2);
    const quotes = await freshTopic('quotes', 3, prefix);
    const expected: (readonly [string, number])[] = [];
    const [trades, bids]: [WantedRecord[], WantedRecord[]] = [[], []];
    for (let tick = 0; tick < 600; tick++) {
      const time = START + tick * 1000;
      const isTrade = tick % 3 === 0;
      expected.push([isTrade ? 'trades' : 'quotes', time]);
      if (isTrade) trades.push(recordOf('trades', id, tick % 2, tradeAt(time)));
      else bids.push(recordOf('quotes', quotes.id, tick % 3, quoteAt(time)));
    }
    await writer.write(topic, trades, { batchSize: 50 });
    await writer.write(quotes.topic, bids, { batchSize: 70 });
    const { stdout, code } = await replay(prefix, '--merge', 'quotes');
    const lines = jsonLinesOf<(Trade | Quote) & { channel: string }>(stdout);
    expect(code).toBe(0);
    expect(lines.map(({ channel, receiveTime }) => [channel, receiveTime])).toEqual(expected);
    const { channel: _, ...quote } = lines[1]!;
    expect(quote).toEqual(quoteAt(START + 1000));
  });
});

describe('pace', () => {
  it('is that in which records of several partitions came, divided by --speed', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 3);
    // Three records at once, then one each 2 s.
    const times = [0, 0, 0, 2, 4, 6].map((seconds) => START + seconds * SECOND);
    await writer.write(
      topic,
      times.map((time, tick) => recordOf('trades', id, tick % 3, tradeAt(time, { tradeId: String(tick) }))),
    );
    const { code, stdout, stderr } = await tickline(['replay', 'trades', '--speed', '4x', ...flags(prefix)]);
    expect(code).toBe(0);
    expect(jsonLinesOf<Trade>(stdout).map(({ tradeId }) => tradeId)).toEqual(['0', '1', '2', '3', '4', '5']);
    // 6 s divided by 4, by the command's own clock: a timer is never late enough to make it less.
    const [, seconds] = /^replayed 6 records in (\d+\.\d+)s,/.exec(stderr)!;
    expect(Number(seconds)).toBeGreaterThanOrEqual(1.49);
  });
});

describe('bounds', () => {
  it('take exactly the receive times from --from up to, without, --to, out of order or not', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 3);
    const times = Array.from(
      { length: 900 },
      (_, tick) => START + tick * 20_000 + (tick % 5 === 0 ? -2 * SECOND : 0),
    );
    await writer.write(
      topic,
      times.map((time, tick) => recordOf('trades', id, tick % 3, tradeAt(time))),
      { batchSize: 40 },
    );
    const [from, to] = [START + 5 * SECOND, START + 11 * SECOND];
    const { trades, code } = await replay(prefix, '--from', iso(from), '--to', iso(to));
    expect(code).toBe(0);
    expect(trades.map(({ receiveTime }) => receiveTime)).toEqual(
      times.filter((time) => time >= from && time < to).sort((a, b) => a - b),
    );
  });

  it('by offsets include both ends, and name what there is when that is less', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 2);
    const records = Array.from({ length: 40 }, (_, tick) =>
      recordOf(
        'trades',
        id,
        tick % 2,
        tradeAt(START + tick, { tradeId: `${tick % 2}:${Math.floor(tick / 2)}` }),
      ),
    );
    await writer.write(topic, records, { batchSize: 4 });
    const { trades } = await replay(prefix, '--offsets', '0:3-5,1:18-');
    expect(trades.map(({ tradeId }) => tradeId)).toEqual(['0:3', '0:4', '0:5', '1:18', '1:19']);
    const apart = await replay(prefix, '--offsets', '0:0,0:9-10,0:19');
    expect(apart.trades.map(({ tradeId }) => tradeId)).toEqual(['0:0', '0:9', '0:10', '0:19']);
    const beyond = await replay(prefix, '--offsets', '0:15-20');
    expect(beyond).toMatchObject({ code: 2, stdout: '' });
    expect(beyond.stderr).toBe(
      `tickline: ${topic} partition 0 has no offset 20: it has offsets 0 to 19 now\n`,
    );
    const nowhere = await replay(prefix, '--offsets', '7:1');
    expect(nowhere).toMatchObject({ code: 2 });
    expect(nowhere.stderr).toContain('has no partition 7: it has 0 to 1');
  });

  it('tell what retention has cut off, by offsets and by time', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 2);
    const records = Array.from({ length: 60 }, (_, tick) =>
      recordOf('trades', id, tick % 2, tradeAt(START + tick * SECOND)),
    );
    await writer.write(topic, records);
    await writer.removeBefore(topic, 1, 12);
    const cut = await replay(prefix, '--offsets', '1:5-20');
    expect(cut).toMatchObject({ code: 2, stdout: '' });
    expect(cut.stderr).toBe(`tickline: ${topic} partition 1 has no offset 5: it has offsets 12 to 29 now\n`);
    const timed = await replay(prefix, '--from', iso(START));
    expect(timed.trades).toHaveLength(48);
    expect(timed.code).toBe(0);
    expect(timed.stderr).toContain(
      `retention has removed the start of ${topic}: partition 1 begins at ${new Date(START / 1000 + 25_000).toISOString().replace('Z', '000Z')}, offset 12`,
    );
    const later = await replay(prefix, '--from', iso(START + 30 * SECOND));
    expect(later.stderr).not.toContain('retention');
  });

  it('hold an empty topic and a single record', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 3);
    const empty = await replay(prefix);
    expect(empty).toMatchObject({ code: 0, stdout: '' });
    expect(empty.stderr).toMatch(/^replayed 0 records/);
    const trade = tradeAt(START, {
      price: '64250.000000000000000001',
      contracts: '99999999999999999999.5',
      fillCount: 3,
    });
    await writer.write(topic, [recordOf('trades', id, 1, trade)]);
    expect((await replay(prefix)).trades).toEqual([trade]);
  });
});

describe('filters', () => {
  it('take symbols, patterns and exchanges; an unknown symbol is told with those that are near', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 2);
    const units = ['binance BTC-USDT', 'okx BTC-USDT', 'okx BTC-USDC', 'kraken ETH-USD'].map((unit) =>
      unit.split(' '),
    );
    await writer.write(
      topic,
      units.map(([exchange, symbol], tick) =>
        recordOf('trades', id, tick % 2, tradeAt(START + tick, { exchange: exchange!, symbol: symbol! })),
      ),
    );
    const names = async (...args: string[]) =>
      (await replay(prefix, ...args)).trades.map(({ exchange, symbol }) => `${exchange} ${symbol}`);
    expect(await names('--symbol', 'BTC-USDT')).toEqual(['binance BTC-USDT', 'okx BTC-USDT']);
    expect(await names('--symbol', 'BTC-*', '--exchange', 'okx')).toEqual(['okx BTC-USDT', 'okx BTC-USDC']);
    expect(await names('--exchange', 'okx,kraken', '-s', '*-USD')).toEqual(['kraken ETH-USD']);
    const unknown = await replay(prefix, '--symbol', 'BTCUSDT');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('no symbol BTCUSDT in what was read: did you mean BTC-USDT');
    const exchange = await replay(prefix, '--exchange', 'binanse');
    expect(exchange).toMatchObject({
      code: 2,
      stderr: 'tickline: --exchange binanse is none: did you mean binance?\n',
    });
  });
});

describe('schemas', () => {
  it('that change in the middle of a topic all become the newest one', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 2);
    const ours = JSON.parse(schemaText('trades')) as {
      fields: { name: string; type: unknown; default?: unknown }[];
    };
    const venue = { name: 'venue', type: ['null', 'string'], default: null };
    const lot = { name: 'lot', type: 'long', default: 7 };
    // A later version has two more fields, one of them in front, and none of the earlier ones' order.
    const later = JSON.stringify({ ...ours, fields: [venue, ...[...ours.fields].reverse(), lot] });
    const laterId = await writer.register(topic, later);
    expect(laterId).not.toBe(id);
    const [old, renewed] = [tradeAt(START), tradeAt(START + 2, { tradeId: '2' })];
    await writer.write(topic, [
      recordOf('trades', id, 0, old),
      recordOf('trades', id, 1, { ...old, receiveTime: START + 1 }),
    ]);
    const value = { ...renewed, venue: 'x', lot: 9 };
    await writer.write(topic, [recordOf('trades', laterId, 0, value, later)]);
    await writer.write(topic, [recordOf('trades', id, 0, tradeAt(START + 3))]);
    const { trades, code } = await replay(prefix);
    expect(code).toBe(0);
    expect(trades).toEqual([
      { ...old, venue: null, lot: 7 },
      { ...old, receiveTime: START + 1, venue: null, lot: 7 },
      value,
      { ...tradeAt(START + 3), venue: null, lot: 7 },
    ]);
    expect(Object.keys(trades[0]!)[0]).toBe('venue');
    expect(parseAvroSchema(later).isValid(value)).toBe(true);
  });
});

describe('an end before the end', () => {
  it('is 130 for Ctrl-C while it waits for the next record’s time', async () => {
    const { prefix, topic, id } = await freshTopic('trades', 1);
    await writer.write(topic, [
      recordOf('trades', id, 0, tradeAt(START)),
      recordOf('trades', id, 0, tradeAt(START + 900 * SECOND)),
    ]);
    const running = new TicklineProcess(['replay', 'trades', ...flags(prefix)]);
    await eventually('the first record', () => running.stdout.endsWith('\n'));
    running.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(jsonLinesOf<Trade>(stdout)).toEqual([tradeAt(START)]);
  });
});
