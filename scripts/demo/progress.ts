import { styleText } from 'node:util';

/** Tells what goes on while there is nothing else to see: a line each on standard error. */
export type Progress = (line: string) => void;

/** Progress lines with the seconds since the start before them. */
export function progressTo(stream: NodeJS.WriteStream, write: (text: string) => void): Progress {
  const started = performance.now();
  const colour = usesColour(stream);
  return (line) => {
    const seconds = `${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s`;
    write(`${colour ? styleText('dim', seconds, { validateStream: false }) : seconds}  ${line}\n`);
  };
}

/** Whether colours are wanted on a stream: a terminal that knows them, and no NO_COLOR (https://no-color.org). */
export function usesColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}
