import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { retryAfterMs } from '../exchanges/retry-after.ts';
import type { Clock } from './clock.ts';
import { FrameReader } from './frame-reader.ts';
import type { SessionEnding } from './session-ending.ts';
import { ending } from './session-ending.ts';

export interface FrameSocketSettings {
  /** Largest message that is taken; a larger one ends the session (close code 1009). */
  readonly frameBytes: number;
  readonly permessageDeflate: boolean;
  /** Milliseconds from the dial to the answered upgrade. */
  readonly connectTimeoutMs: number;
}

/** Called from the socket's events; `closed` is the last call, made once. */
export interface FrameSocketHandler {
  opened(): void;
  /** One whole message, text or binary: `bytes[start, end)`, not copied, valid during the call. */
  frame(bytes: Uint8Array, start: number, end: number): void;
  /** The server pinged, and `ws` sent the pong: a client message. */
  pinged(): void;
  closed(end: SessionEnding): void;
}

/** `closeTimeout` is in ws 8.23 (lib/websocket.js, initAsClient) and not yet in its types. */
type SocketOptions = ClientOptions & { closeTimeout: number };

/**
 * One WebSocket that hands on messages with the time at which their bytes arrived. That time is
 * read once for each chunk of the TCP or TLS socket, before `ws` parses it; messages of one chunk
 * share it. With permessage-deflate `ws` inflates later, so a message may carry the time of a
 * following chunk.
 */
export class FrameSocket {
  /** Microseconds since 1970 of the chunk that is being parsed. */
  receiveTime = 0;
  /** Monotonic milliseconds of the last bytes, of whatever kind. */
  lastReceivedAt: number;
  private ended = false;
  private wasOpen = false;
  private failure: SessionEnding | null = null;
  /** The TCP or TLS socket, once the upgrade was answered. */
  private transport: Socket | null = null;
  private readonly socket: WebSocket;
  private readonly host: string;
  private readonly clock: Clock;
  private readonly handler: FrameSocketHandler;

  /** Dials at once. Throws on an address that is none (`wss://` or `ws://`). */
  constructor(address: string, settings: FrameSocketSettings, clock: Clock, handler: FrameSocketHandler) {
    this.clock = clock;
    this.handler = handler;
    this.host = new URL(address).host;
    this.lastReceivedAt = clock.monotonic();
    const options: SocketOptions = {
      perMessageDeflate: settings.permessageDeflate,
      maxPayload: settings.frameBytes,
      handshakeTimeout: settings.connectTimeoutMs,
      followRedirects: false,
      // Deferred events cost three times as much per message.
      allowSynchronousEvents: true,
      // Bytes that are not UTF-8 spoil one frame, which the decoder refuses; `ws` would end the session.
      skipUTF8Validation: true,
      closeTimeout: settings.connectTimeoutMs,
    };
    const socket = new WebSocket(address, options);
    this.socket = socket;
    socket.on('upgrade', (response) => {
      this.transport = response.socket;
      this.stampChunks(response);
    });
    socket.on('open', () => {
      this.wasOpen = true;
      this.readPlainMessages(settings.frameBytes);
      if (!this.ended) handler.opened();
    });
    socket.on('message', (data) => {
      // Always a Buffer with the default binaryType `nodebuffer`.
      const bytes = data as Buffer;
      if (!this.ended) handler.frame(bytes, 0, bytes.length);
    });
    socket.on('ping', () => {
      if (!this.ended) handler.pinged();
    });
    socket.on('unexpected-response', (_request, response) => this.refused(response));
    socket.on('error', (error) => this.failed(error));
    socket.on('close', (code, reason) => this.closed(code, reason));
  }

  get open(): boolean {
    return !this.ended && this.socket.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    if (this.open) this.socket.send(text, ignoreSendError);
  }

  /** A ping control frame. */
  ping(): void {
    if (this.open) this.socket.ping(undefined, undefined, ignoreSendError);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Starts the closing handshake; frames still come until `closed`. */
  close(code: number): void {
    if (!this.ended) this.socket.close(code);
  }

  /** Cuts the connection: `closed` is called before this returns, and no frame after it. */
  terminate(end: SessionEnding): void {
    if (this.ended) return;
    this.ended = true;
    this.socket.terminate();
    this.handler.closed(end);
  }

  private stampChunks(response: IncomingMessage): void {
    const stamp = () => {
      const now = this.clock.monotonic();
      this.lastReceivedAt = now;
      this.receiveTime = this.clock.receiveTime(now);
    };
    // `ws` adds its own listener after this event; and on close it parses what a paused socket still held.
    response.socket.prependListener('data', stamp);
    response.socket.prependListener('close', stamp);
  }

  /**
   * Puts our reader before `ws`'s own listener of the socket's data (lib/websocket.js, socketOnData),
   * which gets what is left. Without compression: `ws` inflates later, and the order would be lost.
   */
  private readPlainMessages(frameBytes: number): void {
    const { transport, socket, handler } = this;
    if (transport === null || socket.extensions !== '') return;
    const own = transport.listeners('data').at(-1) as ((chunk: Buffer) => void) | undefined;
    if (own === undefined) return;
    const reader = new FrameReader(frameBytes, {
      message: (bytes, start, end) => {
        if (!this.ended) handler.frame(bytes, start, end);
      },
      passOn: (bytes) => own.call(transport, bytes),
    });
    const read = (chunk: Buffer) => reader.read(chunk);
    transport.off('data', own);
    transport.on('data', read);
    // From an error on, what comes is nobody's.
    socket.once('error', () => transport.off('data', read));
  }

  private refused(response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    this.failure = {
      reason: `refused-${status}`,
      detail:
        `${this.host} answered the upgrade with HTTP ${status} ${response.statusMessage ?? ''}`.trimEnd(),
      code: null,
      status,
      retryAfterMs: retryAfterMs(response.headers['retry-after'], this.clock.epoch()),
    };
    response.resume();
    // With a listener on `unexpected-response` it is for us to end the attempt.
    this.socket.terminate();
  }

  private failed(error: Error): void {
    if (this.failure !== null) return;
    this.failure = ending(this.wasOpen ? 'error' : 'connect', `${this.host}: ${causeOf(error)}`);
  }

  private closed(code: number, text: Buffer): void {
    if (this.ended) return;
    this.ended = true;
    this.handler.closed(this.failure ?? closedBy(code, text.toString('utf8'), this.host));
  }
}

function closedBy(code: number, text: string, host: string): SessionEnding {
  const said = text === '' ? '' : `: ${text}`;
  return { ...ending(`closed-${code}`, `${host} closed with ${code}${said}`), code };
}

/** The system's code and text; `AggregateError` (several addresses of one host) holds the causes inside. */
function causeOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map((cause) => (cause instanceof Error ? causeOf(cause) : String(cause))).join('; ');
  }
  return error.message === '' ? error.name : error.message;
}

/** A failed send shows as the socket's `error` and `close`. */
function ignoreSendError(): void {}
