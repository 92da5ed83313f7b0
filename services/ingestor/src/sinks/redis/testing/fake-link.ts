import { type LinkListener, type LinkTrouble, RedisConnectionError, type RedisLink } from '../redis-link.ts';

/** One entry of a batch, as the scripts read it. */
interface SentEntry {
  readonly name: string;
  readonly symbol: string;
  readonly sequence: number;
  readonly value: string;
}

/** A call that waits for its answer. */
export interface WaitingCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer)[];
  readonly entries: readonly SentEntry[];
  answer(reply: unknown): void;
  fail(error: Error): void;
}

/** A link whose Redis is the test: it sees every call and says what becomes of it. */
export class FakeLink implements RedisLink {
  isUp = false;
  trouble: LinkTrouble | null = null;
  readonly tried = Promise.resolve();
  readonly calls: WaitingCall[] = [];
  isClosed = false;
  private listener: LinkListener | null = null;

  start(listener: LinkListener): void {
    this.listener = listener;
  }

  connect(): void {
    this.isUp = true;
    this.trouble = null;
    this.listener!.up();
  }

  /** The connection is lost, and with it the answers to what is on its way. */
  lose(since = 0): void {
    this.isUp = false;
    this.trouble = { since, message: 'gone' };
    for (const call of this.calls.splice(0)) call.fail(new RedisConnectionError('gone'));
    this.listener!.down();
  }

  run(_script: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    if (!this.isUp) return Promise.reject(new RedisConnectionError('not connected'));
    return new Promise((resolve, reject) => {
      // Streams name what they write to by keys behind the mark, Pub/Sub by arguments behind the batch.
      const names = keys.length > 0 ? keys.slice(1) : args.slice(1).map(String);
      const payload = args.find((each) => typeof each !== 'string') as Buffer;
      const call: WaitingCall = {
        keys: [...keys],
        args: [...args],
        entries: entriesOf(Buffer.from(payload), names),
        answer: resolve,
        fail: reject,
      };
      this.calls.push(call);
    });
  }

  close(): void {
    this.isClosed = true;
    for (const call of this.calls.splice(0)) call.fail(new RedisConnectionError('closed'));
  }

  /** The oldest call, and lets what is due happen first. */
  async next(): Promise<WaitingCall> {
    await settle();
    const call = this.calls.shift();
    if (call === undefined) throw new Error('no call waits for an answer');
    return call;
  }
}

/** Lets immediates and what follows from them happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function entriesOf(batch: Buffer, names: readonly string[]): SentEntry[] {
  const entries: SentEntry[] = [];
  for (let at = 0; at < batch.length; ) {
    const name = names[batch.readUInt16BE(at + 8) - 1]!;
    const text = (length: number, from: number) => batch.toString('utf8', from, from + length);
    at += 10;
    const symbol = text(batch.readUInt16BE(at), at + 2);
    at += 2 + batch.readUInt16BE(at);
    const sequence = Number(text(batch[at]!, at + 1));
    at += 1 + batch[at]!;
    const value = text(batch.readUInt32BE(at), at + 4);
    at += 4 + batch.readUInt32BE(at);
    entries.push({ name, symbol, sequence, value });
  }
  return entries;
}
