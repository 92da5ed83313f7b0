import { SettingsError } from '../connection/settings-error.ts';
import { OffsetOutOfRangeError } from '../reading/fetch-pool.ts';
import type { PartitionRange } from '../reading/records.ts';
import type { PartitionBounds } from '../reading/topic-source.ts';

/** One part of `--offsets`: both ends are included; null: from the first, to the last one that is there. */
export interface OffsetChoice {
  readonly partition: number;
  readonly first: number | null;
  readonly last: number | null;
}

const FORM =
  '0:1000-2000 (both included), 0:1000- (to the end), 0:1000 (one record) or 0 (a whole partition)';

/** Reads `0:1000-2000,1:500-`. Throws SettingsError. */
export function parseOffsets(text: string): OffsetChoice[] {
  const choices = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => {
      const match = /^(\d{1,9})(?::(?=[\d-])(\d{1,15})?(?:(-)(\d{1,15})?)?)?$/.exec(each);
      if (match === null) throw new SettingsError(`--offsets ${JSON.stringify(each)}: use ${FORM}`);
      const [, partition, from, dash, to] = match;
      const first = from === undefined ? null : Number(from);
      const last = dash === undefined ? first : to === undefined ? null : Number(to);
      if (first !== null && last !== null && first > last) {
        throw new SettingsError(`--offsets ${JSON.stringify(each)}: the first offset is behind the last`);
      }
      return { partition: Number(partition), first, last };
    });
  if (choices.length === 0) throw new SettingsError(`--offsets is empty: use ${FORM}`);
  return choices;
}

/** The ranges of a choice, in the order of partitions and offsets, each offset once. Throws OffsetOutOfRangeError with what there is, SettingsError for an unknown partition. */
export function rangesOfOffsets(
  topic: string,
  choices: readonly OffsetChoice[],
  bounds: readonly PartitionBounds[],
): PartitionRange[] {
  const ranges = choices
    .map(({ partition, first, last }) => {
      const there = bounds.find((each) => each.partition === partition);
      if (there === undefined) {
        throw new SettingsError(
          `--offsets: ${topic} has no partition ${partition}: it has 0 to ${bounds.length - 1}`,
        );
      }
      const { low, high } = there;
      const start = first ?? low;
      const end = last === null ? high : last + 1;
      if (start < low || (first !== null && start >= high)) {
        throw new OffsetOutOfRangeError(topic, partition, start, low, high);
      }
      if (end > high) throw new OffsetOutOfRangeError(topic, partition, end - 1, low, high);
      return { topic, partition, start, end };
    })
    .filter(({ start, end }) => start < end);
  return withoutOverlap(ranges);
}

/** In the order of partitions and offsets, each offset once. */
function withoutOverlap(ranges: readonly PartitionRange[]): PartitionRange[] {
  const apart: PartitionRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.partition - b.partition || a.start - b.start)) {
    const last = apart.at(-1);
    if (last?.partition !== range.partition || last.end < range.start) apart.push(range);
    else apart[apart.length - 1] = { ...last, end: Math.max(last.end, range.end) };
  }
  return apart;
}
