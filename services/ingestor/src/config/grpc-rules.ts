import { isLoopback } from './domain-formats.ts';
import type { ValuesOf } from './key.ts';
import type { Keys } from './keys.ts';

type GrpcValues = ValuesOf<Keys>['grpc'];
type Refuse = (key: string, problem: string, nearest?: string | null) => void;

/** How the settings of `grpc` fit each other; null stands where a key is wrong. Nothing is asked of what is off. */
export function checkGrpc(
  grpc: GrpcValues,
  shardCount: number | null,
  plaintextHosts: readonly string[] | null,
  refuse: Refuse,
): void {
  if (grpc.enabled !== true) return;
  tls(grpc.tls, refuse);
  const { host, tokenFile, peerAddress, queueBytes, clientQueueBytes } = grpc;
  if (tokenFile !== null && grpc.tls.enabled === false && host !== null) {
    if (!isLoopback(host) && !plaintextHosts?.includes(host)) {
      refuse(
        'grpc.tokenFile',
        `tokens would come to ${host} unencrypted: set grpc.tls.enabled, or name the host in plaintextHosts if the network is yours`,
      );
    }
  }
  if (queueBytes !== null && clientQueueBytes !== null && clientQueueBytes > queueBytes) {
    refuse(
      'grpc.clientQueueBytes',
      `must not be above grpc.queueBytes (${queueBytes}), is ${clientQueueBytes}`,
      String(queueBytes),
    );
  }
  if (peerAddress !== null && !peerAddress.includes('{shard}') && shardCount !== null) {
    const count = peerAddress.split(',').length;
    if (count < shardCount) {
      refuse(
        'grpc.peerAddress',
        `names ${count} of ${shardCount} shards: name them all, or use {shard}`,
        'tickline-{shard}.tickline:9090',
      );
    }
  }
}

function tls(values: GrpcValues['tls'], refuse: Refuse): void {
  for (const name of ['certFile', 'keyFile', 'clientCaFile'] as const) {
    if (values[name] !== null && values.enabled === false) {
      refuse(`grpc.tls.${name}`, 'is set, but grpc.tls.enabled is false: set that to true');
    }
  }
  if (values.enabled !== true) return;
  for (const name of ['certFile', 'keyFile'] as const) {
    if (values[name] === null) refuse(`grpc.tls.${name}`, 'is not set: TLS needs a certificate and its key');
  }
}
