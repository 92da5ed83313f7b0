import { X509Certificate } from 'node:crypto';
import { type KafkaAccess, principalOf } from './access.ts';
import type { ListenerKind } from './listener-probe.ts';

/** Why trying again does not help until somebody changes something. */
export interface Refusal {
  /** The section of the settings to look at, or the rights that the brokers give. */
  readonly setting: 'ssl' | 'sasl' | 'acl';
  /** One sentence that names the setting and what to do. */
  readonly text: string;
}

/** SASL_AUTHENTICATION_FAILED and what the broker says before (https://kafka.apache.org/protocol.html#protocol_error_codes). */
const LOGIN_FAILED = 58;
const UNSUPPORTED_MECHANISM = 33;
const NO_LOGIN_HERE = 34;
const CLUSTER_AUTHORIZATION_FAILED = 31;

/**
 * What kafkajs' error (or Node's, for TLS) means for the settings; null when it may pass by itself. `kind` is
 * what a probe of the listener found, where one was made.
 */
export function refusalOf(
  error: unknown,
  address: string,
  access: KafkaAccess,
  kind: ListenerKind | null,
): Refusal | null {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  if (name === 'KafkaJSSASLAuthenticationError' || code === LOGIN_FAILED) {
    return loginFailed(address, access, String(message));
  }
  if (code === UNSUPPORTED_MECHANISM) return mechanismMissing(address, access, kind);
  if (code === NO_LOGIN_HERE) {
    return {
      setting: 'sasl',
      text: `Kafka at ${address} takes no login on this listener: leave kafka.sasl.mechanism empty, or name the listener with SASL in kafka.brokers`,
    };
  }
  if (code === CLUSTER_AUTHORIZATION_FAILED) {
    return {
      setting: 'acl',
      text: `Kafka at ${address} gives ${principalOf(access)} no producer id: allow it Write on the topics of kafka.topicPrefix (and, before Kafka 2.8, IdempotentWrite on the cluster)`,
    };
  }
  if (access.ssl !== null && typeof code === 'string') {
    const text = tlsRefusal(code, address, access);
    if (text !== null) return { setting: 'ssl', text: `no TLS connection to Kafka at ${address}: ${text}` };
  }
  return kind === null ? null : listenerRefusal(address, access, kind);
}

function loginFailed(address: string, { sasl }: KafkaAccess, message: string): Refusal {
  const reason = message.replace(/^SASL .*? authentication failed: (Authentication failed: )?/, '');
  return {
    setting: 'sasl',
    text: `Kafka at ${address} refuses the login by kafka.sasl: ${reason}: check kafka.sasl.username and kafka.sasl.passwordFile (kafka.sasl.mechanism is ${sasl?.mechanism ?? 'not set'})`,
  };
}

function mechanismMissing(address: string, { sasl }: KafkaAccess, kind: ListenerKind | null): Refusal {
  const offered = kind?.mechanisms == null ? '' : `: it offers ${kind.mechanisms.join(', ')}`;
  return {
    setting: 'sasl',
    text: `Kafka at ${address} does not offer ${sasl?.mechanism ?? ''} (kafka.sasl.mechanism)${offered}`,
  };
}

/** Node's and OpenSSL's codes: https://nodejs.org/api/tls.html#x509-certificate-error-codes. */
function tlsRefusal(code: string, address: string, { ssl }: KafkaAccess): string | null {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return "the broker's certificate (or its authority's) has expired: it must be renewed there; kafka.ssl verifies it always";
    case 'CERT_NOT_YET_VALID':
      return "the broker's certificate is not valid yet: check the clocks; kafka.ssl verifies it always";
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the broker's certificate is not for ${address.slice(0, address.lastIndexOf(':'))}: name the broker in kafka.brokers as its certificate does (so must its advertised.listeners)`;
  }
  if (/^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|INVALID_CA|HOSTNAME_MISMATCH)/.test(code)) {
    return ssl?.ca === undefined
      ? `the authority of the broker's certificate is unknown here (${code}): name its certificate in kafka.ssl.caFile`
      : `the broker's certificate is not signed by an authority in kafka.ssl.caFile (${code})`;
  }
  const alert = /ALERT_(.*)$/.exec(code)?.[1];
  if (alert !== undefined) return alertText(alert, ssl?.cert);
  // Our own files, though they were good at the start: being replaced just now, or wrongly.
  return /^ERR_OSSL_/.test(code) ? `kafka.ssl.certFile or kafka.ssl.keyFile can't be used (${code})` : null;
}

/** What the broker complains about: RFC 8446, section 6.2. */
function alertText(alert: string, cert: unknown): string {
  if (!/CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE/.test(alert)) {
    return `the broker ends the handshake of kafka.ssl (${alert})`;
  }
  if (cert === undefined) {
    return 'the broker asks for a certificate of ours: set kafka.ssl.certFile and kafka.ssl.keyFile';
  }
  const until = endOf(cert);
  return until !== null && until.getTime() < Date.now()
    ? `the broker refuses our certificate of kafka.ssl.certFile, which expired on ${until.toISOString()}`
    : `the broker refuses our certificate of kafka.ssl.certFile (${alert}): is it signed by an authority that the broker trusts?`;
}

/** Null where the file has no certificate just now: it is read again after the connection failed. */
function endOf(cert: unknown): Date | null {
  try {
    return cert instanceof Buffer ? new X509Certificate(cert).validToDate : null;
  } catch {
    return null;
  }
}

function listenerRefusal(
  address: string,
  { ssl, sasl }: KafkaAccess,
  { speaks, mechanisms }: ListenerKind,
): Refusal | null {
  if (speaks === 'tls' && ssl === null) {
    return { setting: 'ssl', text: `Kafka at ${address} speaks TLS: set kafka.ssl.enabled` };
  }
  if (speaks === 'plaintext' && ssl !== null) {
    return {
      setting: 'ssl',
      text: `kafka.ssl.enabled is set, but Kafka at ${address} does not speak TLS: name its TLS listener in kafka.brokers`,
    };
  }
  if (mechanisms !== null && sasl === null) {
    return {
      setting: 'sasl',
      text: `Kafka at ${address} asks for a login (${mechanisms.join(', ')}): set kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.passwordFile`,
    };
  }
  return null;
}
