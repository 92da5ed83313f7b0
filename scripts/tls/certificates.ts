import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCommand } from '../setup-system-package.ts';
import { runTool } from '../stack/run-tool.ts';

/** A certificate authority: PEM files. */
export interface Authority {
  readonly ca: string;
  readonly caKey: string;
}

/** A certificate and its key: PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate, its key, and the authority that vouches for it. */
export interface Certificates extends Certificate {
  readonly ca: string;
}

/** What a certificate is to say; by default it is for 127.0.0.1 and valid for two days. */
export interface CertificateOptions {
  /** The common name; the principal of a Kafka client is `User:CN=…`. Default: the file's name. */
  readonly commonName?: string;
  /** As OpenSSL writes subject alternative names. */
  readonly hosts?: string;
  /** It ended a day ago. */
  readonly isExpired?: boolean;
  /** Encrypts the key. */
  readonly passphrase?: string;
}

const CURVE = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
const VALID_DAYS = '2';

/** Makes an authority of its own below a folder. `name`: what the files begin with. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  await ensureCommand('openssl', 'openssl', () => undefined);
  const ca = join(folder, `${name}-ca.pem`);
  const caKey = join(folder, `${name}-ca-key.pem`);
  await runTool('openssl', ['genpkey', ...CURVE, '-out', caKey]);
  const subject = ['-subj', `/CN=${name} authority`];
  await runTool('openssl', ['req', '-x509', '-key', caKey, '-days', VALID_DAYS, ...subject, '-out', ca]);
  return { ca, caKey };
}

/** Makes a certificate of an authority. `name`: what the files begin with. */
export async function makeCertificate(
  { ca, caKey }: Authority,
  folder: string,
  name: string,
  options: CertificateOptions = {},
): Promise<Certificate> {
  const { commonName = name, hosts = 'IP:127.0.0.1', isExpired = false, passphrase } = options;
  const file = (what: string) => join(folder, `${name}-${what}`);
  const [cert, key] = [file('cert.pem'), file('key.pem')];
  const [request, extensions, passphraseFile] = [file('request'), file('extensions'), file('passphrase')];
  if (passphrase !== undefined) writeFileSync(passphraseFile, passphrase);
  const pass = ['-pass', `file:${passphraseFile}`];
  const encryption = passphrase === undefined ? [] : ['-aes-256-cbc', ...pass];
  await runTool('openssl', ['genpkey', ...CURVE, ...encryption, '-out', key]);
  const passin = passphrase === undefined ? [] : ['-passin', `file:${passphraseFile}`];
  const subject = ['-subj', `/CN=${commonName}`];
  await runTool('openssl', ['req', '-new', '-key', key, ...passin, ...subject, '-out', request]);
  writeFileSync(extensions, `basicConstraints=critical,CA:FALSE\nsubjectAltName=${hosts}\n`);
  const signed = ['x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-extfile', extensions];
  await runTool('openssl', [...signed, '-days', isExpired ? '-1' : VALID_DAYS, '-out', cert]);
  return { cert, key };
}

/** Makes an authority and a certificate of it for 127.0.0.1. `name`: what the files begin with. */
export async function makeCertificates(folder: string, name: string): Promise<Certificates> {
  const authority = await makeAuthority(folder, name);
  return { ca: authority.ca, ...(await makeCertificate(authority, folder, name)) };
}
