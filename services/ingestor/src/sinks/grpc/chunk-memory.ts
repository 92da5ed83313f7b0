/** What a batch is made in: as much as fits before it goes to the client. */
export const CHUNK_BYTES: number = 64 * 1024;

/** Chunks that are kept for the next batch. */
const MAX_FREE = 64;

/** Bytes of a batch that is being filled, waits, or is on its way. */
export class Chunk {
  readonly bytes: Buffer;
  end = 0;
  ticks = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** The memory of all clients' queues, counted by what is allocated. */
export class ChunkMemory {
  readonly limit: number;
  /** Bytes of all chunks that are in use, and of what is held beside them. */
  held = 0;
  private readonly free: Chunk[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /** A chunk with room for at least so many bytes, whatever the limit says. */
  take(bytes: number): Chunk {
    const chunk =
      (bytes <= CHUNK_BYTES ? this.free.pop() : undefined) ??
      new Chunk(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes)));
    this.held += chunk.bytes.length;
    return chunk;
  }

  give(chunk: Chunk): void {
    this.held -= chunk.bytes.length;
    chunk.end = 0;
    chunk.ticks = 0;
    if (chunk.bytes.length === CHUNK_BYTES && this.free.length < MAX_FREE) this.free.push(chunk);
  }
}
