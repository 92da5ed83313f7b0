import { randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** What a broker's listener turned out to be. */
export interface ListenerKind {
  readonly speaks: 'tls' | 'plaintext';
  /** The SASL mechanisms that it offers; null where it takes no login, or did not say. */
  readonly mechanisms: readonly string[] | null;
}

const SASL_HANDSHAKE = 17;
/** ILLEGAL_SASL_STATE: the listener takes no login. */
const NO_LOGIN_HERE = 34;
const TIMEOUT_MS = 3_000;
/** More than any answer to what is asked. */
const MAX_ANSWER_BYTES = 4_096;

/**
 * Finds out why a broker hangs up on us: whether its listener speaks TLS, and whether it wants a login. A broker
 * closes the connection in all these cases without a word. Only the question for SASL mechanisms is sent (KIP-43,
 * SaslHandshake version 1), and no secret. Null when nothing can be told.
 */
export async function probeListener(
  host: string,
  port: number,
  ssl: ConnectionOptions | null,
): Promise<ListenerKind | null> {
  const plain = await ask(connect({ host, port }), 'connect');
  if (plain.mechanisms !== undefined) return { speaks: 'plaintext', mechanisms: plain.mechanisms };
  // Whom we talk to is not asked here: nothing is confided to them.
  const secured = await ask(
    connectTls({ ...ssl, host, port, rejectUnauthorized: false, checkServerIdentity: () => undefined }),
    'secureConnect',
  );
  if (secured.mechanisms !== undefined) return { speaks: 'tls', mechanisms: secured.mechanisms };
  return secured.isOpened ? { speaks: 'tls', mechanisms: null } : null;
}

interface Asked {
  /** TCP, or TLS, came about. */
  readonly isOpened: boolean;
  /** Undefined: there was no answer in Kafka's protocol. */
  readonly mechanisms: readonly string[] | null | undefined;
}

function ask(socket: Socket, opened: 'connect' | 'secureConnect'): Promise<Asked> {
  const correlationId = randomInt(0x7fff_ffff);
  return new Promise((resolve) => {
    let isOpened = false;
    let answer = Buffer.alloc(0);
    const end = (mechanisms: Asked['mechanisms']): void => {
      socket.destroy();
      resolve({ isOpened, mechanisms });
    };
    socket.setTimeout(TIMEOUT_MS, () => end(undefined));
    socket.once(opened, () => {
      isOpened = true;
      socket.write(handshake(correlationId));
    });
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > MAX_ANSWER_BYTES) return end(undefined);
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return;
      end(answer.length >= 10 && answer.readInt32BE(4) === correlationId ? mechanismsOf(answer) : undefined);
    });
    socket.once('error', () => end(undefined));
    socket.once('close', () => end(undefined));
  });
}

/** `size api_key api_version correlation_id client_id mechanism` (request header version 1). */
function handshake(correlationId: number): Buffer {
  const mechanism = 'SCRAM-SHA-512';
  const request = Buffer.alloc(16 + mechanism.length);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(SASL_HANDSHAKE, 4);
  request.writeInt16BE(1, 6);
  request.writeInt32BE(correlationId, 8);
  request.writeInt16BE(-1, 12);
  request.writeInt16BE(mechanism.length, 14);
  request.write(mechanism, 16);
  return request;
}

/** `size correlation_id error_code [mechanism]`. */
function mechanismsOf(answer: Buffer): readonly string[] | null {
  if (answer.readInt16BE(8) === NO_LOGIN_HERE || answer.length < 14) return null;
  const mechanisms: string[] = [];
  let at = 14;
  for (let left = answer.readInt32BE(10); left > 0 && at + 2 <= answer.length; left--) {
    const length = answer.readInt16BE(at);
    // Whoever listens there may be anybody.
    if (length < 0) break;
    mechanisms.push(answer.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return mechanisms;
}
