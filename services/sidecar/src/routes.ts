import type { Registry } from 'prom-client';
import type { Access, Caller, Decision } from './access.ts';
import { ask } from './ask.ts';
import type { EventStream } from './event-stream.ts';
import { type LevelSwitch, readLevelRequest } from './log-level.ts';
import { MESSAGE, type PageFiles } from './page-files.ts';
import { type Answer, type Asked, json, type Route, type Routes } from './server.ts';
import { cookieHeader } from './session-cookie.ts';
import type { IngestorReport, SidecarStatus } from './sidecar-status.ts';
import type { Fleet, Snapshot } from './snapshot.ts';

/** A login form is this large at most: one token. */
const FORM_BYTES = 4 * 1024;
/** How long the ingestor may take for a change of its level. */
const LEVEL_TIMEOUT_MS = 2_000;

/** What the routes tell, and where they find it. */
export interface RouteSources {
  readonly version: string;
  readonly access: Access;
  readonly level: LevelSwitch;
  readonly files: PageFiles;
  readonly events: EventStream;
  readonly registry: Registry;
  /** Address of the ingestor's status, beside which its log level is. */
  readonly ingestorUrl: URL;
  status(): SidecarStatus;
  snapshot(): Snapshot;
  fleet(): Fleet;
  ingestor(): Pick<IngestorReport, 'state' | 'since' | 'reason'>;
  /** Somebody changed something or logged in. */
  happened(event: string, message: string): void;
}

/** All that the sidecar serves. */
export function createRoutes(sources: RouteSources): Routes {
  const { access, files, events, registry } = sources;
  const guarded = (answer: Route['answer']): Route => ({
    answer: (asked) => {
      const decision = access.read(asked);
      return decision.kind === 'admitted' ? answer(asked) : refusal(decision);
    },
  });
  const file = (contentType: string, body: Buffer): Answer => ({ status: 200, contentType, body });

  return {
    '/': {
      GET: {
        answer: (asked) =>
          access.read(asked).kind === 'admitted'
            ? file('text/html; charset=utf-8', files.index)
            : redirect('login'),
      },
    },
    ...Object.fromEntries(
      files.files.map(({ path, contentType, body, isOpen }) => {
        const answer = () => file(contentType, body);
        return [path, { GET: isOpen ? { answer } : guarded(answer) }];
      }),
    ),
    '/login': {
      GET: {
        answer: (asked) =>
          access.asksForToken && access.read(asked).kind !== 'admitted'
            ? loginPage(files, 200, '')
            : redirect('./'),
      },
      POST: { bodyBytes: FORM_BYTES, answer: (asked) => login(sources, asked) },
    },
    '/logout': { POST: { bodyBytes: FORM_BYTES, answer: (asked) => logout(sources, asked) } },
    // The sidecar's own health: an ingestor that hangs is no reason to restart the one who says so.
    '/healthz': {
      GET: {
        answer: () => {
          const { version } = sources;
          const { state, since, reason } = sources.ingestor();
          // What is open to everybody names no address and no symbol.
          const told = access.asksForToken ? { state, since } : { state, since, reason };
          return json(200, { healthy: true, version, ingestor: told });
        },
      },
    },
    '/metrics': {
      GET: {
        answer: async () => ({
          status: 200,
          contentType: registry.contentType,
          body: await registry.metrics(),
        }),
      },
    },
    '/status': { GET: guarded(() => json(200, sources.status())) },
    '/fleet': { GET: guarded(() => json(200, sources.fleet())) },
    '/events': {
      GET: guarded((asked) => {
        if (events.isFull) {
          return json(503, { error: 'Too many pages are open.' }, { 'Retry-After': '30' });
        }
        const caller: Caller = { headers: asked.headers, address: asked.address };
        const mayRead = () => access.read(caller).kind === 'admitted';
        return (response) => events.add(response, JSON.stringify(sources.snapshot()), mayRead);
      }),
    },
    '/log-level': {
      GET: guarded(() => json(200, { sidecar: sources.level.read() })),
      PUT: { answer: (asked) => changeLevel(sources, asked) },
    },
  };
}

function refusal(decision: Exclude<Decision, { kind: 'admitted' }>): Answer {
  switch (decision.kind) {
    case 'unknown':
      return json(401, { error: decision.reason }, { 'WWW-Authenticate': 'Bearer realm="tickline"' });
    case 'forbidden':
      return json(403, { error: decision.reason });
    case 'wait':
      return json(
        429,
        { error: 'Too many wrong tokens came from this address.' },
        { 'Retry-After': String(decision.seconds) },
      );
  }
}

/** Relative: a proxy may serve us below another path. */
function redirect(to: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 303, contentType: 'text/plain', body: '', headers: { Location: to, ...headers } };
}

function loginPage(files: PageFiles, status: number, message: string): Answer {
  const shown = message === '' ? '' : `<p class="refused" role="alert">${message}</p>`;
  return { status, contentType: 'text/html; charset=utf-8', body: files.login.replace(MESSAGE, shown) };
}

function login({ access, files, happened }: RouteSources, asked: Asked): Answer {
  const token = (new URLSearchParams(asked.body).get('token') ?? '').trim();
  const decision = access.login(token, asked);
  switch (decision.kind) {
    case 'session':
      happened('login', 'somebody logged in to the status page');
      return redirect('./', { 'Set-Cookie': cookieHeader(decision.value, cameByTls(asked)) });
    case 'unknown':
      happened('login-refused', 'a wrong token was given to the login form');
      return loginPage(files, 401, 'This token is not right.');
    case 'wait':
      return loginPage(files, 429, `Too many wrong tokens. Try again in ${decision.seconds} seconds.`);
    case 'forbidden':
      return refusal(decision);
  }
}

function logout({ access }: RouteSources, asked: Asked): Answer {
  const decision = access.change(asked);
  if (decision.kind !== 'admitted') return refusal(decision);
  return redirect('login', { 'Set-Cookie': cookieHeader('', cameByTls(asked)) });
}

/** As the proxy that ends TLS says, the first where there are several. Whoever makes it up fools only himself. */
function cameByTls({ headers }: Asked): boolean {
  return /^https *(,|$)/.test(String(headers['x-forwarded-proto'] ?? ''));
}

async function changeLevel(sources: RouteSources, asked: Asked): Promise<Answer> {
  const decision = sources.access.change(asked);
  if (decision.kind !== 'admitted') return refusal(decision);
  const wanted = readLevelRequest(asked.query);
  if (typeof wanted === 'string') return json(400, { error: wanted });
  const url = new URL('/log-level', sources.ingestorUrl);
  url.searchParams.set('level', wanted.level);
  const time = asked.query.get('for');
  if (time !== null) url.searchParams.set('for', time);
  const sidecar = sources.level.change(wanted);
  const ingestor = await changeIngestorLevel(url);
  return json('error' in ingestor ? 502 : 200, { sidecar, ingestor });
}

async function changeIngestorLevel(url: URL): Promise<object> {
  const outcome = await ask({
    url,
    method: 'PUT',
    timeoutMs: LEVEL_TIMEOUT_MS,
    signal: new AbortController().signal,
  });
  if (outcome.kind !== 'answered') return { error: 'The ingestor does not answer.' };
  const { status, body } = outcome;
  if (status !== 200) return { error: `The ingestor answers with status ${status}.` };
  try {
    const answer: unknown = JSON.parse(body?.toString('utf8') ?? '');
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // Told below, as every answer that is not the expected one.
  }
  return { error: 'The ingestor gives an answer that is not understood.' };
}
