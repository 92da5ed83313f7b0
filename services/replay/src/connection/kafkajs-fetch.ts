import { type Connection, FETCH } from './kafkajs-inside.ts';

/** Puts a Fetch request's body on kafkajs' queue, whose timeouts and throttling hold; resolves with the answer's body. */
export function sendFetch(connection: Connection, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { socket } = connection;
    if (socket === undefined || !connection.isConnected()) {
      reject(new Error('not connected'));
      return;
    }
    const correlationId = connection.nextCorrelationId();
    connection.requestQueue.push({
      entry: {
        ...FETCH,
        correlationId,
        resolve: ({ payload }) => {
          // `throttle_time_ms` is the first field of a Fetch answer (KIP-219).
          connection.requestQueue.maybeThrottle(payload.readInt32BE(0));
          resolve(payload);
        },
        reject,
      },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => {
        socket.cork();
        socket.write(requestHeader(correlationId, connection.clientId, body.length));
        socket.write(body);
        socket.uncork();
      },
    });
  });
}

/** Length and request header, version 1: `api_key api_version correlation_id client_id`. */
function requestHeader(correlationId: number, clientId: string, bodyBytes: number): Buffer {
  const id = Buffer.from(clientId);
  const header = Buffer.allocUnsafe(14 + id.length);
  header.writeInt32BE(10 + id.length + bodyBytes, 0);
  header.writeInt16BE(FETCH.apiKey, 4);
  header.writeInt16BE(FETCH.apiVersion, 6);
  header.writeInt32BE(correlationId, 8);
  header.writeInt16BE(id.length, 12);
  id.copy(header, 14);
  return header;
}
