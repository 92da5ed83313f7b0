import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStream, MOST_READERS } from './event-stream.ts';

let events: EventStream;
let server: Server;
let mayRead: boolean;
let url: string;

beforeEach(async () => {
  events = new EventStream();
  mayRead = true;
  server = createServer((_request, response) => events.add(response, '"first"', () => mayRead));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  events.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const open = () => new Promise<IncomingMessage>((resolve) => get(url, resolve));

/** Reads until the text has come. */
function until(response: IncomingMessage, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(wanted)) resolve(text);
    });
    response.on('end', () => reject(new Error(`ended before ${wanted}`)));
  });
}

describe('EventStream', () => {
  it('sends what is there at once, and what comes', async () => {
    const response = await open();
    expect(response.headers['content-type']).toBe('text/event-stream');
    const read = until(response, '"second"\n\n');
    events.send('"second"');
    expect(await read).toBe(
      'retry: 2000\n\nevent: snapshot\ndata: "first"\n\nevent: snapshot\ndata: "second"\n\n',
    );
  });

  it('counts its readers and forgets those that go', async () => {
    const response = await open();
    expect(events.size).toBe(1);
    const gone = new Promise((resolve) => server.once('connection', resolve));
    response.destroy();
    await open();
    await gone;
    await expect.poll(() => events.size, { timeout: 20_000 }).toBe(1);
    expect(events.isFull).toBe(false);
    for (let reader = 1; reader < MOST_READERS; reader++) await open();
    expect(events.isFull).toBe(true);
  });

  it('ends the stream of one who may read no more', async () => {
    const response = await open();
    const ended = new Promise((resolve) => response.on('end', resolve));
    response.resume();
    mayRead = false;
    events.send('"secret"');
    await ended;
    expect(events.size).toBe(0);
  });

  it('drops a reader that does not read, and keeps nothing of it', async () => {
    const response = await open();
    response.pause();
    response.on('error', () => {});
    const large = JSON.stringify('x'.repeat(512 * 1024));
    // As much as the sockets of both ends take, and then what is too much.
    for (let sent = 0; sent < 100 && events.size > 0; sent++) {
      events.send(large);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([events.size, events.dropped]).toEqual([0, 1]);
  });
});
