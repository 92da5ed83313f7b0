import { lookup } from 'node:dns/promises';
import { type AskOutcome, ask, isNotHttp, MAX_ANSWER_BYTES } from './ask.ts';
import { type PeerStatus, readPeerStatus } from './peer-status.ts';
import type { FleetIngestor, FleetPod, PeerState } from './snapshot.ts';

/** How long a pod is shown that DNS names no longer. */
const GONE_MS = 10 * 60_000;
/** More pods than anybody runs: an address record of somebody else must not cost all memory. */
const MOST_PEERS = 1_000;
/** Asked at the same time. */
const AT_ONCE = 16;

/** Where the other sidecars are. */
export interface PeerOptions {
  /** A DNS name all of whose A and AAAA records are sidecars; null: none. */
  readonly host: string | null;
  /** Their port. */
  readonly port: number;
  /** Further ones, `host:port`. */
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
  /** Our own id: by it we are known among those that DNS names. */
  readonly self: string;
  /** The cookie that is shown to them; null: none. */
  readonly cookie: () => string | null;
  /** All addresses of a name. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

interface Peer {
  readonly address: string;
  state: PeerState;
  reason: string;
  id: string | null;
  ingestor: FleetIngestor | null;
  /** Monotonic. */
  answeredAt: number | null;
  goneAt: number | null;
}

/** The other sidecars of the fleet: finds them by DNS, asks each for its status, and remembers. */
export class Peers {
  private readonly options: PeerOptions;
  private readonly peers = new Map<string, Peer>();
  private unresolved: string | null = null;

  constructor(options: PeerOptions) {
    this.options = options;
    for (const address of options.addresses) this.add(address);
  }

  /** False when the fleet is this pod alone. */
  get areConfigured(): boolean {
    return this.options.host !== null || this.options.addresses.length > 0;
  }

  /** Why DNS names nobody; null when it does, or is not asked. */
  get dnsProblem(): string | null {
    return this.unresolved;
  }

  /** Looks them up and asks them all once. Rejects only with the signal's reason. */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.resolve();
    signal.throwIfAborted();
    const queue = [...this.peers.values()].filter(({ goneAt }) => goneAt === null);
    const worker = async () => {
      for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) await this.ask(peer, signal);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** All pods but our own, each once, though it may have two addresses. `now` is monotonic. */
  pods(now: number): FleetPod[] {
    const seen = new Set<string>([this.options.self]);
    const pods: FleetPod[] = [];
    // Those that answer first: of a pod's two addresses one may be unreachable.
    const ordered = [...this.peers.values()].sort(
      (a, b) =>
        Number(b.state === 'answers') - Number(a.state === 'answers') || (a.address < b.address ? -1 : 1),
    );
    for (const { address, state, reason, id, ingestor, answeredAt } of ordered) {
      if (id !== null) {
        if (seen.has(id)) continue;
        seen.add(id);
      }
      const ageSeconds = answeredAt === null ? null : (now - answeredAt) / 1000;
      pods.push({ address, peer: state, reason, ingestor, ageSeconds });
    }
    return pods;
  }

  private async resolve(): Promise<void> {
    const { host, port, addresses, resolve = lookupAll } = this.options;
    if (host === null) return;
    let found: readonly string[];
    try {
      found = await resolve(host);
      this.unresolved = null;
    } catch (error) {
      // Those that are known stay: a name server that is away says nothing about them.
      const { code, message } = error as NodeJS.ErrnoException;
      this.unresolved = `peers.host ${host} can't be resolved (${code ?? message})`;
      return;
    }
    const named = new Set(
      found.map((each) => (each.includes(':') ? `[${each}]:${port}` : `${each}:${port}`)),
    );
    const now = performance.now();
    for (const address of named) this.add(address);
    for (const peer of this.peers.values()) {
      if (named.has(peer.address) || addresses.includes(peer.address)) {
        if (peer.goneAt !== null) Object.assign(peer, { goneAt: null, state: 'unknown', reason: NOT_ASKED });
        continue;
      }
      peer.goneAt ??= now;
      peer.state = 'gone';
      peer.reason = 'DNS names it no longer: the pod is gone';
      // One that never answered was nobody.
      if (peer.ingestor === null || now - peer.goneAt > GONE_MS) this.peers.delete(peer.address);
    }
  }

  private add(address: string): void {
    if (this.peers.has(address) || this.peers.size >= MOST_PEERS) return;
    this.peers.set(address, {
      address,
      state: 'unknown',
      reason: NOT_ASKED,
      id: null,
      ingestor: null,
      answeredAt: null,
      goneAt: null,
    });
  }

  private async ask(peer: Peer, signal: AbortSignal): Promise<void> {
    const { timeoutMs } = this.options;
    const cookie = this.options.cookie();
    const outcome = await ask({
      url: new URL(`http://${peer.address}/status`),
      timeoutMs,
      signal,
      ...(cookie === null ? {} : { cookie }),
    });
    const judged = judge(outcome, timeoutMs);
    peer.state = judged.state;
    peer.reason = judged.reason;
    if (judged.status === null) return;
    peer.id = judged.status.id;
    peer.ingestor = judged.status.ingestor;
    peer.answeredAt = performance.now();
  }
}

const NOT_ASKED = 'it was not asked yet';

interface Judgement {
  readonly state: PeerState;
  readonly reason: string;
  readonly status: PeerStatus | null;
}

function judge(outcome: AskOutcome, timeoutMs: number): Judgement {
  const without = (state: PeerState, reason: string): Judgement => ({ state, reason, status: null });
  switch (outcome.kind) {
    case 'late':
      return without('silent', `its sidecar did not answer within ${timeoutMs} ms`);
    case 'broken':
      return isNotHttp(outcome.error)
        ? without('bad-answer', 'what answers there does not speak HTTP')
        : without(
            'unreachable',
            `its sidecar can't be reached (${outcome.error.code ?? outcome.error.message})`,
          );
    case 'answered': {
      const { status, body } = outcome;
      if (status === 401 || status === 403 || status === 429) {
        return without(
          'refused',
          `its sidecar does not take our token (status ${status}): see auth.tokenFile, and the clocks of both`,
        );
      }
      if (body === null) return without('bad-answer', `its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      if (status !== 200) return without('bad-answer', `it answers with status ${status}`);
      try {
        const read = readPeerStatus(JSON.parse(body.toString('utf8')));
        return { state: 'answers', reason: 'its sidecar answers', status: read };
      } catch (error) {
        return without('bad-answer', `its answer is not a sidecar's status: ${(error as Error).message}`);
      }
    }
  }
}

/** By the system's own way (search domains, hosts file), which a plain DNS query would not go. */
async function lookupAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
