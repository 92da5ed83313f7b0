import { setTimeout as delay } from 'node:timers/promises';
import { type MadeTrade, missingRuns, tradeKey } from '../../scripts/cluster/audit/missing-trades.ts';
import type { AuditReport, AuditRequest } from '../../scripts/cluster/audit/report.ts';
import { sequenceHoles } from '../../scripts/cluster/audit/sequence-holes.ts';
import { nowMicros } from '../exchanges/clock.ts';
import type { ExchangeName, LedgerEntry } from '../exchanges/ledger.ts';
import { controlPorts } from './exchange-ports.ts';
import { readTopic } from './topic-reader.ts';

const help = `Compares what the simulated exchanges made with what lies in Kafka. Runs in the exchanges' pod.

  node test/cluster/audit.ts now                 the time by this clock, in microseconds
  node test/cluster/audit.ts market on|off       opens or closes the markets
  node test/cluster/audit.ts report REQUEST      JSON in, JSON out: scripts/cluster/audit/report.ts
`;

const exchanges = Object.keys(controlPorts) as ExchangeName[];
/** Two readings that are so far apart and say the same have all that is still coming. */
const SETTLE_MS = 2_000;
/** What is missing after that long is missing. */
const PATIENCE_MS = 60_000;

async function ask(exchange: ExchangeName, path: string, body?: object): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${controlPorts[exchange]}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the simulated ${exchange} answers ${response.status}: ${text}`);
  return text;
}

/** Every trade of an exchange, heard or not, in the order in which they were made. */
async function madeBy(exchange: ExchangeName): Promise<MadeTrade[]> {
  const texts = await Promise.all([ask(exchange, '/ledger'), ask(exchange, '/unheard')]);
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes('"channel":"trades"'))
    .map((line) => JSON.parse(line) as LedgerEntry)
    .filter((entry) => entry.channel === 'trades')
    .filter(({ snapshot }) => !snapshot)
    .map(({ exchangeSymbol, id, count, writeTime }) => ({
      ...{ exchange, exchangeSymbol, id },
      ids: count,
      time: writeTime,
    }))
    .sort((a, b) => a.time - b.time);
}

async function report(request: AuditRequest): Promise<AuditReport> {
  const made = (await Promise.all(exchanges.map(madeBy))).flat();
  const asked = made.filter(({ time }) => request.phases.some(({ from, to }) => from <= time && time < to));
  const deadline = performance.now() + PATIENCE_MS;
  let before: string | undefined;
  for (;;) {
    const trades = await readTopic(request, 'trades');
    const quotes = await readTopic(request, 'quotes');
    const status = await readTopic(request, 'status');
    const gaps = status.filter(({ state, channel }) => state === 'gap' && channel === 'trades');
    const read = new Set(trades.map((trade) => tradeKey(trade, trade.tradeId)));
    const missing = missingRuns(made, read, request.phases, gaps);
    const now = JSON.stringify(missing);
    if (missing.length === 0 || now === before || performance.now() > deadline) {
      return {
        trades: trades.length,
        quotes: quotes.length,
        producers: new Set([...trades, ...quotes].map(({ producer }) => producer)).size,
        made: new Set(asked.map((trade) => tradeKey(trade, trade.id))).size,
        repeated: trades.length - read.size,
        missing,
        holes: [
          ...sequenceHoles(trades).map((hole) => `trades ${hole}`),
          ...sequenceHoles(quotes).map((hole) => `quotes ${hole}`),
        ],
        gapRecords: status.filter(({ state }) => state === 'gap').length,
      };
    }
    before = now;
    await delay(SETTLE_MS);
  }
}

async function main([command, argument]: readonly string[]): Promise<unknown> {
  if (command === 'now') return nowMicros();
  if (command === 'market') {
    await Promise.all(exchanges.map((each) => ask(each, '/market', { running: argument === 'on' })));
    return { running: argument === 'on' };
  }
  if (command === 'report' && argument !== undefined) return report(JSON.parse(argument) as AuditRequest);
  throw new Error(help);
}

try {
  process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
  // kafkajs keeps its connections for a while.
  process.exit(0);
} catch (error) {
  process.stderr.write(`audit: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
