import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { type RecordTopic, schemaText } from '@tickline/schemas';
import type { RegistryConfig } from './config.ts';

/** Nobody answered as a registry does; trying again later may help. The message names the setting. */
export class RegistryUnreachableError extends Error {
  override name = 'RegistryUnreachableError';
}

/** The registry answered, and refused. The message has its own words. */
export class RegistryRefusedError extends Error {
  override name = 'RegistryRefusedError';
  /** HTTP status: 401 and 403 the user (RegistryLoginError), 409 an incompatible schema, 422 one that it does not understand. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The registry does not know our user, or does not let it in. */
export class RegistryLoginError extends RegistryRefusedError {
  override name = 'RegistryLoginError';
}

/** No trustworthy connection comes about by registry.url and registry.caFile; trying again does not help. */
export class RegistryTlsError extends RegistryUnreachableError {
  override name = 'RegistryTlsError';
}

/** The rule by which subjects of ours may change: every version can be read by every reader, both ways. */
export const SUBJECT_COMPATIBILITY = COMPATIBILITY.FULL_TRANSITIVE;

/**
 * The schema of a topic as it is registered and looked up: its `.avsc` without the white space, so
 * that reformatting the file makes no other schema.
 */
export function registeredSchema(topic: RecordTopic): string {
  return JSON.stringify(JSON.parse(schemaText(topic)));
}

/**
 * What we ask of a schema registry (Confluent API). Registering is left to
 * `@kafkajs/confluent-schema-registry`; questions are asked directly, because that library makes an
 * unreachable registry and a refusal look alike and can't tell a subject's compatibility.
 */
export class RegistryClient {
  private readonly config: RegistryConfig;
  private readonly agent: HttpAgent | HttpsAgent;
  private readonly signal: AbortSignal;

  /** `signal` gives up whatever is being asked. */
  constructor(config: RegistryConfig, signal: AbortSignal) {
    this.config = config;
    this.signal = signal;
    const isEncrypted = config.url.startsWith('https:');
    this.agent = isEncrypted
      ? new HttpsAgent(config.caFile === null ? {} : { ca: readFileSync(config.caFile) })
      : new HttpAgent();
  }

  /** The id under which a subject has exactly this schema, or null. */
  async idOf(subject: string, schema: string): Promise<number | null> {
    const answer = await this.ask('POST', `/subjects/${encodeURIComponent(subject)}`, { schema });
    if (answer === null) return null;
    return integerOf(answer, 'id', this.config.url);
  }

  /** The text of a schema by its id. */
  async schemaOf(id: number): Promise<string> {
    const answer = await this.ask('GET', `/schemas/ids/${id}`);
    if (typeof answer?.schema === 'string') return answer.schema;
    throw new RegistryRefusedError(`the schema registry at ${this.config.url} has no schema ${id}`, 404);
  }

  /** The number of a subject's latest version, or null when there is no such subject. */
  async latestVersion(subject: string): Promise<number | null> {
    const answer = await this.ask('GET', `/subjects/${encodeURIComponent(subject)}/versions/latest`);
    return answer === null ? null : integerOf(answer, 'version', this.config.url);
  }

  /** The compatibility level that is set on the subject itself, or null when none is. */
  async compatibilityOf(subject: string): Promise<string | null> {
    const answer = await this.ask('GET', `/config/${encodeURIComponent(subject)}`);
    const level = answer?.compatibilityLevel;
    return typeof level === 'string' ? level.toUpperCase() : null;
  }

  /**
   * Registers a schema and sets {@link SUBJECT_COMPATIBILITY} on a subject that has none. Rejects
   * with RegistryRefusedError when the registry holds the schema for incompatible.
   */
  async register(subject: string, schema: string): Promise<number> {
    // Asked first: a registry that can't be reached must not pass for one that refuses.
    await this.latestVersion(subject);
    const { url, username, password, timeoutMs } = this.config;
    const registry = new SchemaRegistry({
      host: url,
      agent: this.agent,
      retry: { retries: 0 },
      ...(username === null ? {} : { auth: { username, password: password ?? '' } }),
      middlewares: [
        () => ({
          prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }),
        }),
      ],
    });
    try {
      const { id } = await registry.register(
        { type: SchemaType.AVRO, schema },
        { subject, compatibility: SUBJECT_COMPATIBILITY },
      );
      return id;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const status = error instanceof Error && 'status' in error ? Number(error.status) : 0;
      // Who may read subjects need not be allowed to write them.
      if (status === 401 || status === 403)
        throw new RegistryLoginError(refusalText(url, username, status), status);
      throw new RegistryRefusedError(`the registry refuses the schema of ${subject}: ${message}`, status);
    }
  }

  close(): void {
    this.agent.destroy();
  }

  /** What Node says of a certificate, or of a server that speaks no TLS, for the settings; null for anything else. */
  private tlsRefusal(error: unknown): string | null {
    const { url, caFile } = this.config;
    const code = codeOf(error);
    const server = `the schema registry at ${url} (registry.url)`;
    if (
      code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
      code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' ||
      code === 'EPROTO'
    ) {
      return `${server} does not speak TLS there: registry.url is the address of another port, or begins with http://`;
    }
    if (code === 'CERT_HAS_EXPIRED') {
      return `no TLS connection to ${server}: its certificate has expired and must be renewed there`;
    }
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      return `no TLS connection to ${server}: its certificate is not for this host: name it in registry.url as its certificate does`;
    }
    if (!/^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|INVALID_CA)/.test(code)) return null;
    return caFile === null
      ? `no TLS connection to ${server}: the authority of its certificate is unknown here (${code}): name its certificate in registry.caFile`
      : `no TLS connection to ${server}: its certificate is not signed by an authority in registry.caFile (${code})`;
  }

  /** The answer's JSON, or null for 404. */
  private async ask(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<Record<string, unknown> | null> {
    const { url, username, password, timeoutMs } = this.config;
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(timeoutMs)]);
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    let status: number;
    let text: string;
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(
          `${url}${path}`,
          {
            method,
            agent: this.agent,
            signal,
            headers: {
              accept: CONTENT_TYPE,
              ...(body === undefined ? {} : { 'content-type': CONTENT_TYPE }),
            },
            ...(username === null ? {} : { auth: `${username}:${password ?? ''}` }),
          },
          resolve,
        );
        sent.on('error', reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      });
      status = response.statusCode ?? 0;
      text = await textOf(response);
    } catch (error) {
      this.signal.throwIfAborted();
      const untrusted = this.tlsRefusal(error);
      if (untrusted !== null) throw new RegistryTlsError(untrusted);
      const reason = signal.aborted
        ? `no answer within ${timeoutMs} ms (registry.timeoutMs)`
        : isHangUp(error)
          ? `${wordsOf(error)}; if it speaks TLS, registry.url begins with https://`
          : wordsOf(error);
      throw new RegistryUnreachableError(
        `the schema registry at ${url} (registry.url) can't be reached: ${reason}`,
      );
    }
    const answer = jsonOf(text);
    if (status === 404) {
      // A web server that is no registry has its own 404: one of the registry's has an error code.
      if (typeof answer?.error_code === 'number') return null;
      throw new RegistryUnreachableError(
        `what answers at ${url} (registry.url) is no schema registry: 404 for ${path}; is a path missing, such as /apis/ccompat/v7?`,
      );
    }
    if (status === 401 || status === 403) {
      throw new RegistryLoginError(refusalText(url, username, status), status);
    }
    if (status >= 500 || status < 200) {
      throw new RegistryUnreachableError(`the schema registry at ${url} (registry.url) answers ${status}`);
    }
    if (status >= 300 || answer === null) {
      const message = typeof answer?.message === 'string' ? answer.message : text.slice(0, 200);
      throw new RegistryRefusedError(
        `the schema registry at ${url} answers ${status} for ${path}: ${message}`,
        status,
      );
    }
    return answer;
  }
}

/** 401: who are you; 403: we know you, and no (RFC 9110, sections 15.5.2 and 15.5.4). */
function refusalText(url: string, username: string | null, status: number): string {
  if (username === null) {
    return `the schema registry at ${url} asks for a login (${status}): set registry.username and registry.passwordFile`;
  }
  return status === 401
    ? `the schema registry at ${url} refuses the login of ${username} (401): check registry.username and registry.passwordFile`
    : `the schema registry at ${url} does not let ${username} (registry.username) do this (403): give that user the right to read subjects (run) and to write them (provision)`;
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function integerOf(answer: Record<string, unknown>, name: string, url: string): number {
  const value = answer[name];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new RegistryUnreachableError(
    `what answers at ${url} (registry.url) is no schema registry: no ${name}`,
  );
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** The other side ended the connection instead of answering, as servers do that expect TLS. */
function isHangUp(error: unknown): boolean {
  return codeOf(error) === 'ECONNRESET';
}

/** An error's words; one for several addresses (localhost: ::1 and 127.0.0.1) has none of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
