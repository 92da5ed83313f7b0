import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PodStatus } from '@tickline/schemas';

/** How a scripted pod behaves when it is asked. */
export type Behaviour = 'answer' | 'hang' | 'garbage';

/** A status server whose answers a test writes. */
export class ScriptedPod {
  status: PodStatus;
  behaviour: Behaviour = 'answer';
  /** Queries of `PUT /log-level`. */
  readonly levels: string[] = [];
  private server: Server | null = null;
  private port = 0;
  private readonly hanging = new Set<ServerResponse>();

  constructor(status: PodStatus) {
    this.status = status;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens, on the same port again after `stop`. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      if (this.behaviour === 'hang') {
        this.hanging.add(response);
        return;
      }
      if (this.behaviour === 'garbage') {
        response.end('hello');
        return;
      }
      const { pathname, search } = new URL(request.url ?? '', this.url);
      if (pathname === '/log-level' && request.method === 'PUT') {
        this.levels.push(search);
        response.end(JSON.stringify({ level: 'debug', was: 'info', until: null }));
        return;
      }
      this.status.now = Date.now();
      response.end(JSON.stringify(this.status));
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
  }

  /** What a killed process leaves: nothing listens, and open connections break. */
  async stop(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    this.hanging.clear();
  }
}
