import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, isReady } from './cluster.ts';

/** Looks again and again how many shards have a pod that is ready. */
export class ReadyWatch {
  private least = Number.MAX_SAFE_INTEGER;
  private readonly over = new AbortController();
  private readonly looking: Promise<void>;

  constructor(cluster: Cluster) {
    this.looking = this.look(cluster);
  }

  /** The least that was seen; the watch ends. */
  async stop(): Promise<number> {
    this.over.abort();
    await this.looking;
    return this.least;
  }

  private async look(cluster: Cluster): Promise<void> {
    while (!this.over.signal.aborted) {
      // A pod that ends is out of the Services, though it may still drain.
      const ready = (await cluster.ingestorPods()).filter(isReady);
      const shards = new Set(ready.map(({ metadata }) => metadata.labels?.['tickline.io/shard']));
      this.least = Math.min(this.least, shards.size);
      await delay(500, undefined, { signal: this.over.signal }).catch(() => undefined);
    }
  }
}
