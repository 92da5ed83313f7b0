import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { reasonOf } from './settings.ts';

/** Files that a TLS connection is made by, as a section of the configuration names them. */
export interface TlsFiles {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  /** Left out where encrypted keys are not taken. */
  readonly keyPassphrase?: string | null;
}

/** What is wrong with one of them; `problem` continues the key's name. */
export interface TlsFileProblem {
  readonly name: 'caFile' | 'certFile' | 'keyFile';
  readonly problem: string;
}

/**
 * Whether the files can do what they are named for. Told at the start and for each file, because OpenSSL's own
 * complaints come with the first connection and name none.
 */
export function tlsFileProblems(files: TlsFiles, now: number = Date.now()): TlsFileProblem[] {
  const problems: TlsFileProblem[] = [];
  const attempt = <T>(name: TlsFileProblem['name'], read: (path: string) => T): T | null => {
    const path = files[name];
    if (path === null) return null;
    try {
      return read(path);
    } catch (error) {
      problems.push({ name, problem: `names ${path}, which ${reasonOf(error)}` });
      return null;
    }
  };
  attempt('caFile', (path) => certificatesIn(path));
  const certificate = attempt('certFile', (path) => {
    const [own] = certificatesIn(path);
    const until = own.validToDate;
    if (until.getTime() < now)
      throw new Error(`expired on ${until.toISOString()}: put the renewed one there`);
    return own;
  });
  attempt('keyFile', (path) => {
    const key = keyIn(path, files.keyPassphrase);
    if (certificate?.checkPrivateKey(key) === false) throw new Error('is not the key of certFile');
  });
  return problems;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`can't be read: ${reasonOf(error)}`);
  }
}

function certificatesIn(path: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = textOf(path).match(
    /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g,
  );
  const [first, ...more] = (blocks ?? []).map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`holds a certificate that can't be read: number ${at + 1}`);
    }
  });
  if (first === undefined) throw new Error('holds no certificate in PEM');
  return [first, ...more];
}

/** Words of our own throughout: OpenSSL's speak of decoders. */
function keyIn(path: string, passphrase: string | null | undefined): KeyObject {
  const key = textOf(path);
  try {
    return createPrivateKey({ key, ...(typeof passphrase === 'string' ? { passphrase } : {}) });
  } catch {
    if (!/ENCRYPTED/.test(key)) throw new Error('holds no private key in PEM');
    if (passphrase === undefined) throw new Error('holds an encrypted key: decrypt it');
    throw new Error(
      passphrase === null
        ? 'holds an encrypted key: name the file of its passphrase in keyPassphraseFile'
        : 'holds an encrypted key that keyPassphraseFile does not open',
    );
  }
}
