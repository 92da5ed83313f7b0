/**
 * What a pod's drain left unacknowledged, for the metrics. The process ends after it, so that nobody would
 * learn of a loss from a count that waits for the next scrape: {@link told} waits for that scrape instead.
 */
export class DrainOutcome {
  private left = 0;
  private isTold = false;
  private wasTold: () => void = () => undefined;

  /** The drain is over: so many records were not acknowledged. */
  ended(unacknowledged: number): void {
    this.left = unacknowledged;
  }

  /** Records that the drain left; 0 before its end. Asked at each scrape. */
  read(): number {
    if (this.left > 0) {
      this.isTold = true;
      this.wasTold();
    }
    return this.left;
  }

  /** Resolves when the loss was read, or after `timeoutMs`. */
  told(timeoutMs: number): Promise<void> {
    if (this.isTold) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.wasTold = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
