import type { Http2Session, Http2Stream } from 'node:http2';
import { constants } from 'node:http2';

// What lies below a call of @grpc/grpc-js: the one place that reaches into it. Where its insides are not as they
// were, a call is not reset and nobody is pinged, and a test says so.

/**
 * Resets a call whose client does not take the end of it. The library ends a call by words that come after all
 * data, so a client that never reads would keep its last batch for ever, and it has no other end on offer;
 * the stream below it has. ENHANCE_YOUR_CALM is what clients read as RESOURCE_EXHAUSTED (gRPC over HTTP2,
 * "Errors"). False when there is no stream to be found.
 */
export function resetCall(call: object): boolean {
  const stream = streamOf(call, 8);
  if (stream === null) return false;
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  return true;
}

/** The connection of a call; null when it can't be found. */
export function sessionOf(call: object): Http2Session | null {
  return streamOf(call, 8)?.session ?? null;
}

/** Resolves when the other side has received all that was sent before, or the connection is gone. */
export function received(session: Http2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.destroyed || !session.ping(() => resolve())) resolve();
  });
}

/** Through a call's interceptors to the one that holds the stream. */
function streamOf(call: object, depth: number): Http2Stream | null {
  if ('stream' in call && isHttp2Stream(call.stream)) return call.stream;
  if (depth === 0) return null;
  for (const name of ['call', 'nextCall'] as const) {
    const inner = (call as Record<string, unknown>)[name];
    if (typeof inner === 'object' && inner !== null) return streamOf(inner, depth - 1);
  }
  return null;
}

function isHttp2Stream(value: unknown): value is Http2Stream {
  return (
    typeof value === 'object' &&
    value !== null &&
    'close' in value &&
    typeof value.close === 'function' &&
    'rstCode' in value
  );
}
