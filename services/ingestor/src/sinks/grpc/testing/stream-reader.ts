import { ChannelCredentials, type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  MarketDataStub,
  recordOf,
  type SubscribeRequest,
  type TickBatch,
  type TickRecord,
} from '@tickline/schemas/grpc';

/** A request with what is left out empty. */
export function subscribeRequest(fields: Partial<SubscribeRequest>): SubscribeRequest {
  return {
    exchanges: [],
    symbols: ['*'],
    channels: [],
    lastValueFirst: false,
    conflate: false,
    ownedOnly: false,
    ...fields,
  };
}

export function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** A stub with a connection of its own. */
export function stubOf(
  address: string,
  credentials: ChannelCredentials = ChannelCredentials.createInsecure(),
): MarketDataStub {
  return new MarketDataStub(address, credentials, { 'grpc.use_local_subchannel_pool': 1 });
}

/** Reads one Subscribe call to its end and keeps what came. */
export class StreamReader {
  readonly records: TickRecord[] = [];
  dropped = 0;
  /** Resolves when the pod has accepted; rejects when it refused. */
  readonly accepted: Promise<void>;
  /** How it ended. */
  readonly ended: Promise<Pick<ServiceError, 'code' | 'details' | 'metadata'>>;
  readonly call: ClientReadableStream<TickBatch>;

  constructor(call: ClientReadableStream<TickBatch>) {
    this.call = call;
    this.accepted = new Promise((resolve, reject) => {
      call.once('metadata', () => resolve());
      call.once('error', reject);
    });
    this.accepted.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      call.on('error', () => undefined);
      call.on('status', (status) =>
        resolve({ code: status.code, details: status.details, metadata: status.metadata }),
      );
    });
    call.on('data', ({ ticks, dropped }: TickBatch) => {
      this.dropped += Number(dropped);
      for (const tick of ticks) {
        const record = recordOf(tick);
        if (record !== null) this.records.push(record);
      }
    });
  }

  static async open(
    stub: MarketDataStub,
    fields: Partial<SubscribeRequest> = {},
    metadata: Metadata = new Metadata(),
  ): Promise<StreamReader> {
    const reader = new StreamReader(stub.subscribe(subscribeRequest(fields), metadata));
    await reader.accepted;
    return reader;
  }
}
