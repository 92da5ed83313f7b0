import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A bare WebSocket client for tests: keeps every text frame, waits for conditions, never for time. */
export class RawClient {
  readonly frames: string[] = [];
  readonly pings: string[] = [];
  readonly pongs: string[] = [];
  readonly ws: WebSocket;
  /** The close code, once the socket is gone; 1006 without a closing handshake. */
  readonly closed: Promise<number>;
  #waiters: (() => void)[] = [];

  private constructor(url: string, autoPong: boolean) {
    this.ws = new WebSocket(url, { autoPong, perMessageDeflate: false });
    this.ws.on('message', (data) => this.#note(this.frames, String(data)));
    this.ws.on('ping', (payload) => this.#note(this.pings, payload.toString()));
    this.ws.on('pong', (payload) => this.#note(this.pongs, payload.toString()));
    this.closed = new Promise((resolve) => this.ws.once('close', resolve));
    this.ws.on('error', () => {});
  }

  /**
   * Connects.
   * @throws Error with the HTTP status, or the socket's error, when the server refuses
   */
  static async open(url: string, autoPong = true): Promise<RawClient> {
    const client = new RawClient(url, autoPong);
    await once(client.ws, 'open');
    return client;
  }

  /** Sends an object as JSON, or a text as it is. */
  send(message: object | string): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first frame, from position `from`, that satisfies the condition: waits until it is there. */
  async frame(condition: (frame: string) => boolean, from = 0): Promise<string> {
    await this.until(() => this.frames.slice(from).some(condition));
    return this.frames.slice(from).find(condition)!;
  }

  /** Sends a message and gives the next frame that satisfies the condition (default: any). */
  async ask(message: object | string, condition: (frame: string) => boolean = () => true): Promise<string> {
    const from = this.frames.length;
    this.send(message);
    return this.frame(condition, from);
  }

  /** Waits until a condition holds; looks at it again after every frame. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Ends the socket at once. */
  end(): void {
    this.ws.terminate();
  }

  #note(list: string[], text: string): void {
    list.push(text);
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
