import { join } from 'node:path';
import type { ExchangeName } from '@tickline/schemas';
import { type ManagedProcess, startNode } from '../processes/managed-process.ts';
import { repositoryRoot } from '../stack/paths.ts';
import type { ProcessContext } from './pod.ts';
import type { WrittenTick } from './reconcile.ts';
import { tickIdentity } from './tick-identity.ts';

/** A line of a simulator's ledger (`GET /ledger`), as far as we need it. */
interface LedgerLine {
  readonly channel: 'trades' | 'quotes';
  readonly exchangeSymbol: string;
  readonly id: string | null;
  readonly exchangeTime: number | null;
  readonly writeTime: number;
  readonly acknowledged: boolean;
  readonly snapshot: boolean;
}

/** The addresses a simulator prints when it is ready. */
interface Ready {
  readonly exchange: ExchangeName;
  readonly ws: string;
  readonly rest: string;
  readonly control: string;
}

const ANSWER_MS = 10_000;

/** The four simulated exchanges, in a process of their own. */
export class Simulators {
  readonly process: ManagedProcess;
  private readonly addresses: readonly Ready[];
  private readonly positions = new Map<ExchangeName, number>();

  private constructor(process: ManagedProcess, addresses: readonly Ready[]) {
    this.process = process;
    this.addresses = addresses;
  }

  /** @param rate frames a second over all four */
  static async start(
    exchanges: readonly ExchangeName[],
    rate: number,
    symbols: number,
    { folder, signal, started }: ProcessContext,
  ): Promise<Simulators> {
    const process = startNode(
      'process of the simulated exchanges',
      [
        join(repositoryRoot, 'test/exchanges/main.ts'),
        '--exchange=all',
        `--rate=${rate / exchanges.length}`,
        `--symbols=${symbols}`,
        // Snapshots come with each subscription; the rest when the market opens.
        '--manual',
      ],
      join(folder, 'simulated-exchanges.log'),
      signal,
    );
    started(process);
    const addresses = await Promise.all(
      exchanges.map((exchange) =>
        process.line(
          (line) =>
            line.exchange === exchange && 'control' in line ? (line as unknown as Ready) : undefined,
          `to serve ${exchange}`,
          30_000,
        ),
      ),
    );
    return new Simulators(process, addresses);
  }

  /** What the ingestor's configuration calls `endpoints`. */
  endpoints(exchange: ExchangeName): { readonly websocket: string; readonly rest: string } {
    const { ws, rest } = this.ready(exchange);
    return { websocket: ws, rest };
  }

  /** Opens the market, or closes it: then nothing new is written, and connections stay. */
  async market(open: boolean): Promise<void> {
    await Promise.all(
      this.addresses.map(({ exchange }) => this.tell(exchange, '/market', { running: open })),
    );
  }

  /** The ticks written since the last call. The simulator forgets them then: a long run's ledger stays small. */
  async *written(exchange: ExchangeName): AsyncGenerator<WrittenTick> {
    const since = this.positions.get(exchange) ?? 0;
    const { control } = this.ready(exchange);
    const response = await fetch(`${control}/ledger?since=${since}`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok || response.body === null) {
      throw new Error(`the simulated ${exchange} did not tell its ledger: ${await response.text()}`);
    }
    let rest = '';
    let position = since;
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const entry = JSON.parse(line) as LedgerLine;
        this.positions.set(exchange, ++position);
        const { writeTime, acknowledged, snapshot } = entry;
        yield { identity: tickIdentity(entry), writeTime, owed: acknowledged && !snapshot };
      }
    }
    if (position > since) await this.tell(exchange, '/ledger', { forgetBefore: position });
  }

  private async tell(exchange: ExchangeName, path: string, body: object): Promise<void> {
    const response = await fetch(`${this.ready(exchange).control}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`the simulated ${exchange} refused ${path}: ${answer}`);
  }

  private ready(exchange: ExchangeName): Ready {
    const found = this.addresses.find((address) => address.exchange === exchange);
    if (found === undefined) throw new Error(`there is no simulated ${exchange}`);
    return found;
  }
}
