import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { Metadata } from '@grpc/grpc-js';
import { TooSlow, WrongOwner } from './generated/tickline/market_data/v1/market_data.ts';

/** The trailer in which gRPC's richer error model carries a google.rpc.Status (gRPC docs, "Error handling"). */
const TRAILER = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/';

/** What a refusal carries besides code and message. */
export type StatusDetail =
  | { readonly type: 'WrongOwner'; readonly value: WrongOwner }
  | { readonly type: 'TooSlow'; readonly value: TooSlow };

/** Trailers with one detail, as every gRPC library reads them (Python grpcio-status, Go status.Details). */
export function detailTrailers(code: number, message: string, detail: StatusDetail): Metadata {
  // google.rpc.Status: code = 1, message = 2, details = 3 of google.protobuf.Any (type_url = 1, value = 2).
  const status = new BinaryWriter().uint32(8).int32(code).uint32(18).string(message);
  status.uint32(26).fork();
  status.uint32(10).string(`${TYPE_PREFIX}tickline.market_data.v1.${detail.type}`);
  status.uint32(18).bytes(valueBytes(detail));
  const trailers = new Metadata();
  trailers.set(TRAILER, Buffer.from(status.join().finish()));
  return trailers;
}

/** The detail of an error's trailers; null when there is none that we know. */
export function detailOf(trailers: Metadata): StatusDetail | null {
  const [bytes] = trailers.get(TRAILER);
  if (!(bytes instanceof Buffer)) return null;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 26) {
      const detail = anyDetail(reader.bytes());
      if (detail !== null) return detail;
    } else {
      reader.skip(tag & 7);
    }
  }
  return null;
}

function valueBytes(detail: StatusDetail): Uint8Array {
  return detail.type === 'WrongOwner'
    ? WrongOwner.encode(detail.value).finish()
    : TooSlow.encode(detail.value).finish();
}

function anyDetail(bytes: Uint8Array): StatusDetail | null {
  const reader = new BinaryReader(bytes);
  let type = '';
  let value: Uint8Array = new Uint8Array(0);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) type = reader.string();
    else if (tag === 18) value = reader.bytes();
    else reader.skip(tag & 7);
  }
  switch (type) {
    case `${TYPE_PREFIX}tickline.market_data.v1.WrongOwner`:
      return { type: 'WrongOwner', value: WrongOwner.decode(value) };
    case `${TYPE_PREFIX}tickline.market_data.v1.TooSlow`:
      return { type: 'TooSlow', value: TooSlow.decode(value) };
    default:
      return null;
  }
}
