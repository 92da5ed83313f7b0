import { X509Certificate } from 'node:crypto';
import { renameSync } from 'node:fs';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeAuthority, makeCertificate } from '../../scripts/tls/certificates.ts';
import { Connections } from '../../services/ingestor/src/sinks/grpc/connections.ts';
import { tlsMaterial } from '../../services/ingestor/src/sinks/grpc/tls-material.ts';
import { renewTls } from '../../services/ingestor/src/sinks/grpc/tls-renewal.ts';
import { eventually } from '../support/eventually.ts';
import { SecretFolder } from './secured-servers.ts';

let folder: SecretFolder;
const ending: (() => void)[] = [];

beforeEach(() => {
  folder = new SecretFolder();
});

afterEach(() => {
  for (const end of ending.splice(0)) end();
  folder.remove();
});

/** The common name of the certificate that a new connection sees. */
function nameSeen(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      () => {
        resolve(new X509Certificate(socket.getPeerCertificate().raw).subject);
        socket.destroy();
      },
    );
    socket.once('error', reject);
  });
}

it('a renewed certificate of the gRPC server is shown to the next connection, a half-written one to none', async () => {
  const authority = await makeAuthority(folder.path, 'own');
  const [old, renewed] = [
    await makeCertificate(authority, folder.path, 'old'),
    await makeCertificate(authority, folder.path, 'renewed'),
  ];
  const settings = { enabled: true, certFile: old.cert, keyFile: old.key, clientCaFile: null };
  const lines: string[] = [];
  const say = (event: string) => void lines.push(event);
  const connections = new Connections({
    maxConnections: 10,
    tls: tlsMaterial(settings),
    serve: (socket) => socket.destroy(),
  });
  const log = { error: say, warn: say, info: say, debug: say };
  const stop = renewTls(settings, (tls) => connections.renewTls(tls), log, 20);
  ending.push(
    stop,
    () => connections.stopListening(),
    () => connections.destroyAll(),
  );
  const port = await connections.listen('127.0.0.1', 0);
  expect(await nameSeen(port)).toBe('CN=old');

  // The certificate without its key does not fit.
  renameSync(renewed.cert, old.cert);
  await eventually('it is told', () => lines.includes('grpc-certificate-unusable'));
  expect(await nameSeen(port)).toBe('CN=old');
  renameSync(renewed.key, old.key);
  await eventually('the renewed one is seen', async () => (await nameSeen(port)) === 'CN=renewed');
  expect(lines).toEqual(['grpc-certificate-unusable', 'grpc-certificate-renewed']);
});
