/** How a client reaches the pods. */
export interface MarketDataClientOptions {
  /** host:port of one or more pods; the others are found through them. */
  readonly addresses: readonly string[];
  /** PEM; without it the connection is not encrypted. `cert` and `key`: where the pods ask for a certificate. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** A bearer token, or how to read the present one. */
  readonly token?: string | (() => string);
  /** Where a pod's own address can't be reached from here (a port forward): what to use instead. */
  readonly resolve?: (address: string) => string;
  /** How long a question may take. Default 10,000. */
  readonly timeoutMs?: number;
  /** How often a quiet connection is pinged. Default 20,000. */
  readonly keepaliveMs?: number;
  /** Wait before the first reconnect, doubled up to the longest, jittered. Default 200 and 10,000. */
  readonly backoffMs?: { readonly first: number; readonly longest: number };
  /** How often the owners are asked for while a subscription lasts. Default 60,000. */
  readonly refreshMs?: number;
}

/** What to subscribe to. The fields are those of the message SubscribeRequest. */
export interface TickSelection {
  /** None: all. */
  readonly exchanges?: readonly string[];
  /** Symbols, or patterns with `*`. */
  readonly symbols: readonly string[];
  /** None: all. */
  readonly channels?: readonly string[];
  readonly lastValueFirst?: boolean;
  readonly conflate?: boolean;
}
