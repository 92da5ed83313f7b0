import { join } from 'node:path';
import { ensureCommand } from '../setup-system-package.ts';
import { runTool } from '../stack/run-tool.ts';

/** PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority and a certificate of it for 127.0.0.1, valid for two days. `name`: what the files begin with. */
export async function makeCertificates(folder: string, name: string): Promise<Certificates> {
  await ensureCommand('openssl', 'openssl', () => undefined);
  const file = (what: string) => join(folder, `${name}-${what}.pem`);
  const [ca, caKey, cert, key] = ['ca', 'ca-key', 'cert', 'key'].map(file) as [
    string,
    string,
    string,
    string,
  ];
  const fresh = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  await runTool('openssl', [...fresh, '-subj', `/CN=${name} authority`, '-keyout', caKey, '-out', ca]);
  const subject = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE', '-CA', ca, '-CAkey', caKey];
  await runTool('openssl', [...fresh, ...subject, ...leaf, '-keyout', key, '-out', cert]);
  return { ca, cert, key };
}
