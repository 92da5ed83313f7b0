import { isSymbolPattern, symbolFits } from '@tickline/schemas';
import { nearestNames } from './nearest.ts';

/** Most names that are remembered for hints. */
const MOST = 10_000;

/** Remembers which symbols were met, so that one that was never met can be told with those that are near. */
export class SymbolWatch {
  private readonly wanted: readonly string[];
  private readonly seen = new Set<string>();

  constructor(wanted: readonly string[]) {
    this.wanted = wanted;
  }

  /** For `RecordFilter.sawSymbol`. */
  readonly saw = (symbol: string): void => {
    if (this.seen.size < MOST) this.seen.add(symbol);
  };

  /** True when there were symbols, and none that is wanted. */
  get isUnknown(): boolean {
    return this.seen.size > 0 && this.missing().length === this.wanted.length;
  }

  /** Which of the wanted symbols and patterns were not met, each in a sentence; empty when all were, or nothing was read. */
  complaints(): string[] {
    if (this.seen.size === 0) return [];
    return this.missing().map((wanted) => {
      const nearest = isSymbolPattern(wanted) ? [] : nearestNames(wanted, this.seen);
      const some = [...this.seen].sort().slice(0, 5).join(', ');
      const hint =
        nearest.length > 0
          ? `did you mean ${nearest.join(' or ')}?`
          : `there are ${some}${this.seen.size > 5 ? ', …' : ''}`;
      return `no symbol ${wanted} in what was read: ${hint}`;
    });
  }

  private missing(): string[] {
    const symbols = [...this.seen];
    return this.wanted.filter((wanted) => !symbols.some((symbol) => symbolFits(wanted, symbol)));
  }
}
