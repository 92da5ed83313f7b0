import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Metadata,
  ResponderBuilder,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { FILE_DESCRIPTOR_SET } from '@tickline/schemas/grpc';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import type { SinkContext } from '../sink-context.ts';
import { TokenFile } from './access.ts';
import type { Clients } from './clients.ts';
import { Connections } from './connections.ts';
import type { GrpcCounters } from './counters.ts';
import { Directory } from './directory.ts';
import { MARKET_DATA_SERVICE, MarketData } from './market-data.ts';
import { CODES } from './refusal.ts';
import type { GrpcSettings } from './settings.ts';
import { tlsMaterial } from './tls-material.ts';
import { renewTls } from './tls-renewal.ts';

/** Kubernetes' gRPC probes can send no token (its documentation, "Configure probes"). */
const WITHOUT_TOKEN = '/grpc.health.v1.Health/Check';
/** Calls that one connection may have open; more wait at the client. */
const MAX_CALLS_OF_A_CONNECTION = 256;
/** How long ended calls may take to tell their clients when the pod goes. */
const CLOSE_MS = 1_000;
const HEALTH_EVERY_MS = 1_000;
const SERVICE = 'tickline.market_data.v1.MarketData';

/** The port, and the services behind it. */
export class GrpcServer {
  /** host:port that clients connect to. */
  readonly address: string;
  private readonly server: Server;
  private readonly market: MarketData;
  private readonly connections: Connections;
  private readonly health: HealthImplementation;
  private readonly context: SinkContext;
  private readonly healthTimer: NodeJS.Timeout;
  private isServing = false;
  private readonly drainState: { isDraining: boolean };
  private readonly stopRenewal: () => void;

  /** Rejects with an Error whose message names the setting. */
  static async start(
    settings: GrpcSettings,
    context: SinkContext,
    clients: Clients,
    counters: GrpcCounters,
  ): Promise<GrpcServer> {
    const tls = tlsMaterial(settings.tls);
    const tokens = tokenFile(settings.tokenFile);
    const drainState = { isDraining: false };
    let address = '';

    const directory = new Directory(context, settings.peerAddress, () => address);
    const market = new MarketData({
      context,
      directory,
      clients,
      counters,
      maxSubscriptions: settings.maxSubscriptions,
      isDraining: () => drainState.isDraining,
    });
    const server = new Server({
      'grpc.max_receive_message_length': settings.maxRequestBytes,
      'grpc.max_concurrent_streams': MAX_CALLS_OF_A_CONNECTION,
      'grpc.keepalive_time_ms': settings.keepaliveMs,
      'grpc.keepalive_timeout_ms': settings.keepaliveTimeoutMs,
      'grpc.max_connection_idle_ms': settings.maxIdleMs,
      'grpc.enable_channelz': 0,
      interceptors: [
        guard(
          (path, peer, metadata) => refusalOf(connections, tokens, path, peer, metadata),
          counters,
          () => connections,
        ),
      ],
    });
    server.addService(MARKET_DATA_SERVICE, market.handlers());
    const health = new HealthImplementation({ '': 'NOT_SERVING', [SERVICE]: 'NOT_SERVING' });
    health.addToServer(server);
    new ReflectionService({
      ...loadFileDescriptorSetFromBuffer(Buffer.from(FILE_DESCRIPTOR_SET, 'base64')),
      ...loadSync('health/v1/health.proto', { includeDirs: [dirname(dirname(dirname(healthProto)))] }),
    }).addToServer(server);

    // TLS is done by then, if any.
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const connections = new Connections({
      maxConnections: settings.maxConnections,
      tls,
      serve: (socket: Socket) => injector.injectConnection(socket),
    });
    try {
      const port = await connections.listen(settings.host, settings.port);
      const own = `${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;
      address = own;
      const stopRenewal = renewTls(settings.tls, (renewed) => connections.renewTls(renewed), context.log);
      return new GrpcServer(own, server, market, connections, health, context, drainState, stopRenewal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`grpc.host and grpc.port (${settings.host}:${settings.port}) can't be used: ${reason}`);
    }
  }

  private constructor(
    address: string,
    server: Server,
    market: MarketData,
    connections: Connections,
    health: HealthImplementation,
    context: SinkContext,
    drainState: { isDraining: boolean },
    stopRenewal: () => void,
  ) {
    this.address = address;
    this.server = server;
    this.market = market;
    this.connections = connections;
    this.health = health;
    this.context = context;
    this.drainState = drainState;
    this.stopRenewal = stopRenewal;
    this.healthTimer = setInterval(() => this.tellHealth(), HEALTH_EVERY_MS).unref();
  }

  /** Takes no more connections and calls; those there are go on. */
  drain(): void {
    this.drainState.isDraining = true;
    this.tellHealth();
    this.connections.stopListening();
  }

  async close(): Promise<void> {
    this.drain();
    clearInterval(this.healthTimer);
    this.stopRenewal();
    const waiting = new AbortController();
    const limit = delay(CLOSE_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
    // A connection that is closed while something of the client's is unread takes back what was sent.
    await Promise.race([this.market.told(), limit]);
    waiting.abort();
    this.server.forceShutdown();
    this.connections.destroyAll();
  }

  /** Readiness is latched: once it serves, only the end changes that. */
  private tellHealth(): void {
    const serving = !this.drainState.isDraining && (this.isServing || this.context.status().ready);
    if (serving === this.isServing) return;
    this.isServing = serving;
    for (const service of ['', SERVICE]) {
      this.health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
    }
  }
}

function tokenFile(path: string | null): TokenFile | null {
  if (path === null) return null;
  try {
    return new TokenFile(path);
  } catch (error) {
    throw new Error(
      `grpc.tokenFile can't be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

type RefusalOf = (path: string, peer: string, metadata: Metadata) => string | null;

function refusalOf(
  connections: Connections,
  tokens: TokenFile | null,
  path: string,
  peer: string,
  metadata: Metadata,
): string | null {
  const refusal = connections.refusalOf(peer);
  if (refusal !== null) return refusal;
  if (tokens === null || path === WITHOUT_TOKEN) return null;
  const [authorization] = metadata.get('authorization');
  if (authorization === undefined) {
    return 'a token is needed: send the metadata "authorization: Bearer TOKEN"';
  }
  return tokens.admits(String(authorization)) ? null : 'the token is not one of grpc.tokenFile';
}

/** Refuses calls that may not be, before their request is read, and counts the open ones of each connection. */
function guard(
  refusalFor: RefusalOf,
  counters: GrpcCounters,
  connectionsOf: () => Connections,
): ServerInterceptor {
  return (method, call) => {
    const peer = call.getPeer();
    const connections = connectionsOf();
    let isOpen = false;
    const ended = () => {
      if (!isOpen) return;
      isOpen = false;
      connections.callEnded(peer);
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const refusal = refusalFor(method.path, peer, metadata);
        if (refusal === null) {
          next(metadata);
          return;
        }
        counters.countError('UNAUTHENTICATED');
        ended();
        call.sendStatus({ code: CODES.UNAUTHENTICATED, details: refusal });
      })
      .withOnCancel(ended)
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => {
        isOpen = true;
        connections.callBegan(peer);
        next(listener);
      })
      .withSendStatus((status, next) => {
        ended();
        next(status);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}
