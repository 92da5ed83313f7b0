import type { SinkContext } from '../sink-context.ts';
import { GrpcSink } from './grpc-sink.ts';
import type { GrpcTlsSettings } from './tls-material.ts';

/** The configuration's section `grpc`, checked. */
export interface GrpcSettings {
  readonly enabled: boolean;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly peerAddress: string | null;
  readonly queueBytes: number;
  readonly clientQueueBytes: number;
  readonly maxClients: number;
  readonly maxSubscriptions: number;
  readonly maxConnections: number;
  readonly maxRequestBytes: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly maxIdleMs: number;
  readonly tokenFile: string | null;
  readonly tls: GrpcTlsSettings;
}

/** The gRPC sink of a configuration; null when it is not enabled. */
export function createGrpcSink(settings: GrpcSettings, context: SinkContext): GrpcSink | null {
  return settings.enabled ? new GrpcSink(settings, context) : null;
}
