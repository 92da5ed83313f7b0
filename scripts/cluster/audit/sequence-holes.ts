/** What a tick says of its place in what its producer counted. */
export interface CountedTick {
  readonly producer: string;
  readonly exchange: string;
  readonly symbol: string;
  readonly sequence: number;
  readonly conflated: number;
}

/**
 * Holes in what each producer counted of one channel, in words: ticks that a pod had received and that are not in the topic.
 * A tick that stands for others (`conflated`) covers their numbers; one that was written twice is no hole.
 */
export function sequenceHoles(ticks: readonly CountedTick[]): string[] {
  const holes: string[] = [];
  for (const [stream, counted] of Map.groupBy(
    ticks,
    (tick) => `${tick.producer} ${tick.exchange} ${tick.symbol}`,
  )) {
    let last = 0;
    for (const { sequence, conflated } of counted.toSorted((a, b) => a.sequence - b.sequence)) {
      const first = sequence - conflated;
      if (first > last + 1)
        holes.push(`${stream} ${first === last + 2 ? first - 1 : `${last + 1} to ${first - 1}`}`);
      last = Math.max(last, sequence);
    }
  }
  return holes;
}
