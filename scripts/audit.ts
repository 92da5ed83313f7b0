import { spawnSync } from 'node:child_process';
import { repositoryRoot } from './stack/paths.ts';

/** What `npm audit --json` answers; either part may be missing. */
interface AuditAnswer {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
  readonly error?: { readonly summary?: string; readonly detail?: string };
  readonly message?: string;
}

/** How an audit ended. */
export interface AuditVerdict {
  /** 0 nothing found, 1 something found, 2 nobody could be asked. */
  readonly code: 0 | 1 | 2;
  readonly text: string;
}

/** Reads npm's answer: an audit that did not happen must not pass for one that found nothing. */
export function auditVerdict(output: string): AuditVerdict {
  let answer: AuditAnswer;
  try {
    answer = JSON.parse(output) as AuditAnswer;
  } catch {
    return { code: 2, text: 'npm audit gave no answer: is npm installed?' };
  }
  const found = answer.metadata?.vulnerabilities;
  if (found === undefined) {
    const reason = answer.error?.summary || answer.message || answer.error?.detail || 'no reason given';
    return {
      code: 2,
      text: `npm's registry can't be asked for vulnerabilities, nothing was checked: ${reason.trim()}`,
    };
  }
  const kinds = ['critical', 'high', 'moderate', 'low'].filter((kind) => (found[kind] ?? 0) > 0);
  return kinds.length === 0
    ? { code: 0, text: 'no known vulnerability in what runs in production' }
    : {
        code: 1,
        text: `known vulnerabilities: ${kinds.map((kind) => `${found[kind]} ${kind}`).join(', ')}; npm audit --omit=dev names them`,
      };
}

if (import.meta.main) {
  const npm = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    timeout: 120_000,
  });
  const { code, text } = auditVerdict(npm.stdout ?? '');
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exitCode = code;
}
