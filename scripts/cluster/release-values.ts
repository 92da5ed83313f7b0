import { marketPorts } from '../../test/cluster/exchange-ports.ts';
import type { StackAddresses } from './stack-objects.ts';

/** How many shards the release has. */
export const shards = 2;

/** An image by its repository and tag: `registry:5000/tickline:1` → `registry:5000/tickline` and `1`. */
export function splitImage(image: string): { repository: string; tag: string } {
  const colon = image.lastIndexOf(':');
  if (colon <= image.lastIndexOf('/'))
    throw new Error(`${image} has no tag: name the image as REPOSITORY:TAG`);
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}

/** The chart's values for the test stack. */
export function releaseValues(image: string, addresses: StackAddresses): object {
  const { exchangesHost, registryHost, broker, registryUrl } = addresses;
  return {
    image: splitImage(image),
    shards: { count: shards },
    config: {
      exchanges: Object.fromEntries(
        Object.entries(marketPorts).map(([exchange, port]) => [
          exchange,
          {
            symbols: ['*'],
            endpoints: {
              websocket: `ws://${exchangesHost}:${port}`,
              rest: `http://${exchangesHost}:${port}`,
            },
          },
        ]),
      ),
      kafka: { brokers: [broker] },
      registry: { url: registryUrl },
      plaintextHosts: [exchangesHost, registryHost],
    },
    resources: { requests: { cpu: '100m' } },
  };
}
