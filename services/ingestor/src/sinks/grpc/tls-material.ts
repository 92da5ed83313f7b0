import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** The configuration's section `grpc.tls`, checked. */
export interface GrpcTlsSettings {
  readonly enabled: boolean;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly clientCaFile: string | null;
}

/** What a TLS server needs. */
export interface TlsMaterial {
  readonly material: SecureContextOptions;
  readonly clientsNeedCertificate: boolean;
}

/** Reads the files; null without TLS. Throws an Error whose message names the setting. */
export function tlsMaterial(settings: GrpcTlsSettings): TlsMaterial | null {
  const { enabled, certFile, keyFile, clientCaFile } = settings;
  if (!enabled) {
    for (const name of ['certFile', 'keyFile', 'clientCaFile'] as const) {
      if (settings[name] !== null) {
        throw new Error(`grpc.tls.${name} is set, but grpc.tls.enabled is false: set that to true`);
      }
    }
    return null;
  }
  const cert = read('certFile', certFile, 'the certificate that clients see');
  const key = read('keyFile', keyFile, 'the key of grpc.tls.certFile');
  const ca = clientCaFile === null ? null : read('clientCaFile', clientCaFile, '');
  const material: SecureContextOptions = { cert, key, ...(ca === null ? {} : { ca }) };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new Error(`grpc.tls.certFile, keyFile or clientCaFile can't be used: ${textOf(error)}`);
  }
  return { material, clientsNeedCertificate: ca !== null };
}

function read(name: string, path: string | null, what: string): Buffer {
  if (path === null) throw new Error(`grpc.tls.${name} is not set: TLS needs ${what}`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`grpc.tls.${name} can't be read: ${textOf(error)}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
