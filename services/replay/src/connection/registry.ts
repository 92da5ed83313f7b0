import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ConnectionError, wordsOf } from './connection-error.ts';
import type { RegistrySettings } from './connection-settings.ts';

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/** One version of a subject. */
export interface RegisteredSchema {
  readonly id: number;
  readonly version: number;
  readonly text: string;
}

/**
 * What the command asks of a schema registry (Confluent API); it registers nothing. Everything rejects with
 * ConnectionError. Asked directly: `@kafkajs/confluent-schema-registry` makes an unreachable registry and a schema
 * that is not there look alike.
 */
export class Registry {
  private readonly settings: RegistrySettings;
  private readonly agent: HttpAgent | HttpsAgent;
  /** `Date` of the last answer. */
  private lastDate = '';

  constructor(settings: RegistrySettings) {
    this.settings = settings;
    this.agent = settings.url.startsWith('https:')
      ? new HttpsAgent({ keepAlive: true, ...(settings.ca === null ? {} : { ca: settings.ca }) })
      : new HttpAgent({ keepAlive: true });
  }

  /** The text of a schema by its id; null: there is none. */
  async schemaText(id: number): Promise<string | null> {
    const answer = await this.ask(`/schemas/ids/${id}`);
    return typeof answer?.schema === 'string' ? answer.schema : null;
  }

  /** The newest version of a subject; null: there is no such subject. */
  async latestSchema(subject: string): Promise<RegisteredSchema | null> {
    return versionOf(await this.ask(`/subjects/${encodeURIComponent(subject)}/versions/latest`));
  }

  /** All versions of a subject, the oldest first. */
  async versions(subject: string): Promise<RegisteredSchema[]> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const numbers: unknown = await this.ask(path);
    if (!Array.isArray(numbers)) return [];
    const versions: RegisteredSchema[] = [];
    for (const number of numbers) {
      const version = versionOf(await this.ask(`${path}/${number}`));
      if (version !== null) versions.push(version);
    }
    return versions;
  }

  /** The compatibility level that is set on the subject itself, or null when none is. */
  async compatibilityOf(subject: string): Promise<string | null> {
    const answer = await this.ask(`/config/${encodeURIComponent(subject)}`);
    return typeof answer?.compatibilityLevel === 'string' ? answer.compatibilityLevel.toUpperCase() : null;
  }

  /** Whether the registry answers as one, to our user: how many subjects it has. */
  async subjectCount(): Promise<number> {
    const subjects: unknown = await this.ask('/subjects');
    if (Array.isArray(subjects)) return subjects.length;
    throw this.notARegistry('/subjects');
  }

  /**
   * How far our clock is ahead of the registry's machine, in milliseconds, to about half a second: by the `Date` of
   * its answers (RFC 9110 section 6.6.1); null where it sends none.
   */
  async clockAheadMs(now: () => number): Promise<number | null> {
    const sentAt = now();
    await this.subjectCount();
    const receivedAt = now();
    const theirs = Date.parse(this.lastDate);
    if (!Number.isFinite(theirs)) return null;
    // The date has whole seconds, cut off: on average the answer was made half a second later.
    return Math.round((sentAt + receivedAt) / 2 - (theirs + 500));
  }

  close(): void {
    this.agent.destroy();
  }

  /** The answer's JSON, or null for what the registry does not have. */
  private async ask(path: string): Promise<Readonly<Record<string, unknown>> | null> {
    const { url, username, password, timeoutMs } = this.settings;
    const signal = AbortSignal.timeout(timeoutMs);
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    let status: number;
    let text: string;
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(
          `${url}${path}`,
          {
            agent: this.agent,
            signal,
            headers: { accept: CONTENT_TYPE },
            ...(username === null ? {} : { auth: `${username}:${password ?? ''}` }),
          },
          resolve,
        );
        sent.on('error', reject);
        sent.end();
      });
      status = response.statusCode ?? 0;
      this.lastDate = response.headers.date ?? '';
      text = await textOf(response);
    } catch (error) {
      const reason = signal.aborted
        ? `no answer within ${timeoutMs} ms (registry.timeoutMs)`
        : wordsOf(error);
      throw new ConnectionError(
        `the schema registry at ${url} (registry.url) can't be reached: ${reason}`,
        'registry.url',
        error,
      );
    }
    const answer = jsonOf(text);
    if (status === 404) {
      // A web server that is no registry has its own 404: one of the registry's has an error code.
      if (typeof answer?.error_code === 'number') return null;
      throw this.notARegistry(path);
    }
    if (status === 401 || status === 403) {
      throw new ConnectionError(
        `the schema registry at ${url} refuses us (${status}): check registry.username and registry.passwordFile`,
        'registry.username',
      );
    }
    if (status !== 200) {
      throw new ConnectionError(
        `the schema registry at ${url} (registry.url) answers ${status} for ${path}`,
        'registry.url',
      );
    }
    if (answer === null) throw this.notARegistry(path);
    return answer;
  }

  private notARegistry(path: string): ConnectionError {
    return new ConnectionError(
      `what answers at ${this.settings.url} (registry.url) is no schema registry (${path}): is a path missing, such as /apis/ccompat/v7?`,
      'registry.url',
    );
  }
}

function versionOf(answer: Readonly<Record<string, unknown>> | null): RegisteredSchema | null {
  if (answer === null || typeof answer.schema !== 'string') return null;
  return { id: Number(answer.id), version: Number(answer.version), text: answer.schema };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
