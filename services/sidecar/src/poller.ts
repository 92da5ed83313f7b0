import { type PodStatus, readPodStatus } from '@tickline/schemas';
import { type AskOptions, type AskOutcome, ask, isNotHttp, MAX_ANSWER_BYTES } from './ask.ts';

/** What came of one question to the ingestor; `reason` is one sentence. */
export type PollOutcome =
  | { readonly kind: 'answered'; readonly status: PodStatus }
  /** Nothing listens there, or the connection broke: the process is gone (or not there yet). */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The address takes connections but nobody answers: the process is there and stuck or stopped. */
  | { readonly kind: 'hung'; readonly reason: string }
  /** Something answered, but not with a pod status. */
  | { readonly kind: 'bad-answer'; readonly reason: string };

/** Asks the ingestor once. Never rejects, except with the signal's reason when it is aborted. */
export async function poll(options: AskOptions): Promise<PollOutcome> {
  const outcome = await ask(options);
  const { host } = options.url;
  switch (outcome.kind) {
    case 'answered':
      return judge(outcome);
    case 'late':
      // A connect that is not even refused counts as hung too: on the pod's own loopback it means that the
      // listener's backlog is full, because nobody accepts.
      return { kind: 'hung', reason: `${host} did not answer within ${options.timeoutMs} ms` };
    case 'broken':
      return brokenConnection(host, outcome.error);
  }
}

function judge({ status, body }: AskOutcome & { kind: 'answered' }): PollOutcome {
  const bad = (reason: string): PollOutcome => ({ kind: 'bad-answer', reason });
  if (body === null) return bad(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
  if (status !== 200) return bad(`the answer has status ${status} instead of 200`);
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    return bad('the answer is not JSON');
  }
  try {
    return { kind: 'answered', status: readPodStatus(document) };
  } catch (error) {
    return bad(`the answer is not a pod status: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function brokenConnection(host: string, error: NodeJS.ErrnoException): PollOutcome {
  if (isNotHttp(error)) return { kind: 'bad-answer', reason: `the answer is not HTTP (${error.code})` };
  switch (error.code) {
    case 'ECONNREFUSED':
      return { kind: 'unreachable', reason: `nothing listens on ${host}: the process is gone` };
    case 'ECONNRESET':
    case 'EPIPE':
      return { kind: 'unreachable', reason: `${host} broke the connection off: the process is ending` };
    default:
      return { kind: 'unreachable', reason: `${host} can't be reached: ${error.message}` };
  }
}
