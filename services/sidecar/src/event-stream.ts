import type { ServerResponse } from 'node:http';

/** Readers at a time. */
export const MOST_READERS = 32;
/** A reader that has so much unread is dropped: its browser connects again and begins with the newest. */
const MOST_UNREAD_BYTES = 1024 * 1024;
/** So often a comment is sent when nothing else was: proxies close what is silent. */
const HEARTBEAT_MS = 15_000;
/** What the browser waits before it connects again. */
const RETRY_MS = 2_000;

interface Reader {
  readonly response: ServerResponse;
  readonly mayRead: () => boolean;
}

/**
 * Server-sent events (HTML Standard, section 9.2) to a bounded number of readers. Every event holds all there is
 * to show, so that none needs those before it.
 */
export class EventStream {
  private readonly readers = new Set<Reader>();
  private readonly heartbeat: NodeJS.Timeout;
  private droppedCount = 0;

  constructor() {
    this.heartbeat = setInterval(() => this.write(': still here\n\n'), HEARTBEAT_MS).unref();
  }

  get size(): number {
    return this.readers.size;
  }

  /** Readers that were too slow, so far. */
  get dropped(): number {
    return this.droppedCount;
  }

  get isFull(): boolean {
    return this.readers.size >= MOST_READERS;
  }

  /** Adds a reader, who gets `first` at once. `mayRead` is asked before each event; false ends the stream. */
  add(response: ServerResponse, first: string, mayRead: () => boolean): void {
    const reader: Reader = { response, mayRead };
    this.readers.add(reader);
    response.on('close', () => this.readers.delete(reader));
    // What a reader that is gone did is no concern of ours.
    response.on('error', () => this.readers.delete(reader));
    // X-Accel-Buffering: nginx (ngx_http_proxy_module, proxy_buffering) would hold the events back.
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\n\n${eventOf(first)}`);
  }

  /** Sends one event, a line of JSON, to all. */
  send(data: string): void {
    this.write(eventOf(data));
  }

  close(): void {
    clearInterval(this.heartbeat);
    for (const { response } of this.readers) response.end();
    this.readers.clear();
  }

  private write(text: string): void {
    for (const reader of this.readers) {
      const { response, mayRead } = reader;
      if (response.writableLength > MOST_UNREAD_BYTES) {
        this.droppedCount++;
        this.readers.delete(reader);
        response.destroy();
      } else if (!mayRead()) {
        this.readers.delete(reader);
        response.end();
      } else response.write(text);
    }
  }
}

function eventOf(data: string): string {
  return `event: snapshot\ndata: ${data}\n\n`;
}
