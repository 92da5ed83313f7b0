import { readFile } from 'node:fs/promises';

/** A recorded frame; the time (seconds) only where the recording has it. */
export interface TapeFrame {
  readonly seconds: number | null;
  readonly frame: string;
}

/** What to replay, to whom and how fast. */
export interface ReplayOptions {
  /** A file with one frame per line, or lines `<seconds>: <frame>` as cryptofeed records them. */
  readonly file: string;
  /** Frames per second (default 1000), or `recorded` for the recording's own times. */
  readonly pace?: number | 'recorded';
  /** One connection by its id; default every open one. */
  readonly connection?: string;
}

/** What a replay did. */
export interface ReplayResult {
  /** Frames on the tape. */
  readonly frames: number;
  /** Frames written, all connections together. */
  readonly written: number;
}

const timedLine = /^(\d+(?:\.\d+)?): (.*)$/s;
const otherLine = /^(?:wss?|https?):\/\//;

/**
 * The frames of a recording's text. Lines about opened connections, sent frames and HTTP answers, which start with
 * an address, are left out, and so are empty lines.
 */
export function parseTape(text: string): TapeFrame[] {
  const frames: TapeFrame[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || otherLine.test(line)) continue;
    const timed = timedLine.exec(line);
    if (timed === null) frames.push({ seconds: null, frame: line });
    else frames.push({ seconds: Number(timed[1]), frame: timed[2]! });
  }
  return frames;
}

/** Reads a recording from a file. */
export async function readTape(file: string): Promise<TapeFrame[]> {
  return parseTape(await readFile(file, 'utf8'));
}

/**
 * Sends the frames of a tape at a pace.
 * @param send writes one frame and says to how many connections
 */
export async function replayTape(
  frames: readonly TapeFrame[],
  { pace = 1000 }: Pick<ReplayOptions, 'pace'>,
  send: (frame: string) => number,
): Promise<ReplayResult> {
  const started = performance.now();
  const first = frames.find(({ seconds }) => seconds !== null)?.seconds ?? 0;
  let written = 0;
  for (const [position, { seconds, frame }] of frames.entries()) {
    const due = pace === 'recorded' ? ((seconds ?? first) - first) * 1000 : (position * 1000) / pace;
    const wait = due - (performance.now() - started);
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    written += send(frame);
  }
  return { frames: frames.length, written };
}
