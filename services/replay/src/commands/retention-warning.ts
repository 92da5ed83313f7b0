import { isoMicros } from '../output/time.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import type { World } from './world.ts';

/** Says so when records since `fromMicros` may have been removed from a topic before anybody read them. */
export async function warnOfRetention(
  source: TopicSource,
  topic: string,
  fromMicros: number,
  world: World,
): Promise<void> {
  const bounds = await source.bounds(topic);
  // Offset 0 is still there: nothing was removed.
  if (bounds.every(({ low }) => low === 0)) return;
  const first = await source.cluster.firstRecords(topic);
  const cut = bounds.filter(({ partition, low }) => {
    const record = first.get(partition);
    return low > 0 && (record === undefined || record.timestampMs * 1000 > fromMicros);
  });
  if (cut.length === 0) return;
  const places = cut.map(({ partition, low }) => {
    const record = first.get(partition);
    const since = record === undefined ? 'empty now' : `begins at ${isoMicros(record.timestampMs * 1000)}`;
    return `partition ${partition} ${since}, offset ${low}`;
  });
  const shown = places.slice(0, 4).join('; ');
  world.stderr.write(
    `tickline: retention has removed the start of ${topic}: ${shown}${places.length > 4 ? '; …' : ''}\n`,
  );
}
