import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const given = new Set<number>();

/**
 * A port on 127.0.0.1 that is free now and was not given before by this process.
 *
 * It lies *outside* the range from which the kernel takes ports for outgoing connections. A server that is
 * stopped and comes back on its port needs that: a client that keeps dialling a dead port inside the range is
 * one day given that very port as its own, connects to itself (TCP simultaneous open), and the server can't
 * bind any more.
 */
export async function freePort(): Promise<number> {
  const [low, high] = [10_000, Math.max(firstEphemeralPort() - 1, 12_000)];
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = low + Math.floor(Math.random() * (high - low));
    if (!given.has(port) && (await canListen(port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`found no free port on 127.0.0.1 between ${low} and ${high}`);
}

function firstEphemeralPort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  } catch {
    return 32_768;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
