import type { Owner } from '@tickline/schemas/grpc';
import { isSymbolPattern, symbolFits } from '@tickline/schemas/grpc';
import type { DirectoryEntry, SinkContext } from '../sink-context.ts';
import { peerAddressOf } from './peer-address.ts';

/** The configuration's symbols and their owners, indexed anew when they change. */
export class Directory {
  private readonly context: Pick<SinkContext, 'directory' | 'directoryVersion' | 'shard'>;
  private readonly peerAddress: string | null;
  private readonly ownAddress: () => string;
  private version = -1;
  private entries: readonly DirectoryEntry[] = [];
  private bySymbol: ReadonlyMap<string, readonly DirectoryEntry[]> = new Map();

  /** `ownAddress`: this pod's own, where `peerAddress` does not say. */
  constructor(
    context: Pick<SinkContext, 'directory' | 'directoryVersion' | 'shard'>,
    peerAddress: string | null,
    ownAddress: () => string,
  ) {
    this.context = context;
    this.peerAddress = peerAddress;
    this.ownAddress = ownAddress;
  }

  /** In the order of exchange and symbol. */
  all(): readonly DirectoryEntry[] {
    this.refresh();
    return this.entries;
  }

  /** The symbols that fit a name or pattern, of these exchanges (none: all). */
  fitting(pattern: string, exchanges: readonly string[]): readonly DirectoryEntry[] {
    this.refresh();
    const among = isSymbolPattern(pattern) ? this.entries : (this.bySymbol.get(pattern) ?? []);
    return among.filter(
      ({ exchange, symbol }) =>
        (exchanges.length === 0 || exchanges.includes(exchange)) && symbolFits(pattern, symbol),
    );
  }

  isOwn({ shards }: DirectoryEntry): boolean {
    return shards.includes(this.context.shard.index);
  }

  owner(shard: number): Owner {
    const address = peerAddressOf(this.peerAddress, shard);
    const isThis = shard === this.context.shard.index;
    return { shard, address: address === '' && isThis ? this.ownAddress() : address };
  }

  owners({ shards }: DirectoryEntry): Owner[] {
    return shards.map((shard) => this.owner(shard));
  }

  private refresh(): void {
    const version = this.context.directoryVersion();
    if (version === this.version) return;
    this.version = version;
    this.entries = [...this.context.directory()].sort(
      (a, b) => compare(a.exchange, b.exchange) || compare(a.symbol, b.symbol),
    );
    const bySymbol = new Map<string, DirectoryEntry[]>();
    for (const entry of this.entries) {
      const same = bySymbol.get(entry.symbol);
      if (same === undefined) bySymbol.set(entry.symbol, [entry]);
      else same.push(entry);
    }
    this.bySymbol = bySymbol;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
