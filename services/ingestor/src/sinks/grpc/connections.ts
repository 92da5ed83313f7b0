import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { TlsMaterial } from './tls-material.ts';

/** How long a client may take for the TLS handshake. */
const HANDSHAKE_MS = 10_000;
const MIN_VERSION = 'TLSv1.2';

interface Connection {
  readonly socket: Socket;
  /** Why none of its calls is served; null when they are. */
  refusal: string | null;
  /** Calls that are being served. */
  calls: number;
}

/** What becomes of accepted connections. */
export interface ConnectionsOptions {
  readonly maxConnections: number;
  /** Null: no TLS. */
  readonly tls: TlsMaterial | null;
  /** Hands a connection to the gRPC server; TLS, if any, is done. */
  readonly serve: (socket: Socket) => void;
}

/**
 * The port. Connections that do nothing never keep out one that wants something: when there are too many, the
 * one that has been idle for longest is closed (its client opens another when it needs one).
 */
export class Connections {
  private readonly options: ConnectionsOptions;
  private readonly server: NetServer;
  private readonly secure: TlsServer | null = null;
  /** All sockets, also those still in the TLS handshake, in the order of arrival. */
  private readonly sockets = new Set<Socket>();
  /** By the client's host and port, as a call tells it. */
  private readonly byPeer = new Map<string, Connection>();
  /** Idle ones, the longest first. */
  private readonly idle = new Set<Connection>();

  constructor(options: ConnectionsOptions) {
    this.options = options;
    const { tls } = options;
    if (tls === null) {
      this.server = createServer({ noDelay: true }, (socket) => this.admit(socket, null));
    } else {
      const secure = createTlsServer(
        {
          ...tls.material,
          ALPNProtocols: ['h2'],
          handshakeTimeout: HANDSHAKE_MS,
          minVersion: MIN_VERSION,
          requestCert: tls.clientsNeedCertificate,
          // A handshake that fails tells the client nothing it can show: its calls are refused with a sentence.
          rejectUnauthorized: false,
        },
        (socket) => this.admit(socket, tls.clientsNeedCertificate ? certificateRefusal(socket) : null),
      );
      secure.on('tlsClientError', (_error, socket) => socket.destroy());
      this.server = secure;
      this.secure = secure;
    }
    this.server.on('connection', (socket: Socket) => this.arrived(socket));
  }

  get count(): number {
    return this.sockets.size;
  }

  /** Connections from now on see this certificate. */
  renewTls({ material }: TlsMaterial): void {
    this.secure?.setSecureContext({ ...material, minVersion: MIN_VERSION });
  }

  /** Resolves with the port. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        // Such as no file descriptor left: the next connection may work again.
        this.server.on('error', () => undefined);
        const address = this.server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Why the calls of a connection are refused; null when they are served. An unknown one is refused. */
  refusalOf(peer: string): string | null {
    const connection = this.byPeer.get(peer);
    return connection === undefined ? 'this connection is not known' : connection.refusal;
  }

  callBegan(peer: string): void {
    const connection = this.byPeer.get(peer);
    if (connection === undefined) return;
    connection.calls++;
    this.idle.delete(connection);
  }

  callEnded(peer: string): void {
    const connection = this.byPeer.get(peer);
    if (connection === undefined) return;
    connection.calls--;
    if (connection.calls === 0) this.idle.add(connection);
  }

  /** Takes no further connections. */
  stopListening(): void {
    this.server.close();
  }

  destroyAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private arrived(socket: Socket): void {
    // Before anybody else listens: a connection that breaks is no error of ours.
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    if (this.sockets.size > this.options.maxConnections) this.makeRoom(socket);
  }

  private makeRoom(newest: Socket): void {
    const [longest] = this.idle;
    if (longest !== undefined) {
      this.idle.delete(longest);
      longest.socket.destroy();
      return;
    }
    // None is idle: the oldest that is still in its handshake, or the newest itself.
    for (const socket of this.sockets) {
      if (!this.byPeer.has(peerOf(socket))) {
        socket.destroy();
        return;
      }
    }
    newest.destroy();
  }

  private admit(socket: Socket, refusal: string | null): void {
    const connection: Connection = { socket, refusal, calls: 0 };
    const peer = peerOf(socket);
    this.byPeer.set(peer, connection);
    this.idle.add(connection);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.byPeer.delete(peer);
      this.idle.delete(connection);
    });
    this.options.serve(socket);
  }
}

/** As `getPeer()` of a call says it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

function certificateRefusal(socket: TLSSocket): string | null {
  if (socket.authorized) return null;
  const has = Object.keys(socket.getPeerCertificate()).length > 0;
  return has
    ? `the client's certificate is not accepted (${String(socket.authorizationError)}): it must be signed by grpc.tls.clientCaFile`
    : 'a client certificate is needed, signed by grpc.tls.clientCaFile';
}
