import { describe, expect, it } from 'vitest';
import { startPod } from '../support/pod.ts';

describe('a pod whose schema registry is away at the start', () => {
  it('lives, says what it waits for, and ends at once when asked to', async () => {
    // Nothing listens there.
    const stack = { brokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' };
    const pod = await startPod({ stack, simulators: [], flags: ['--exchanges.okx.symbols=BTC-USDT'] });
    const status = await pod.until('it says why', ({ notReady }) => notReady !== null);
    expect(status).toMatchObject({ phase: 'starting', ready: false });
    expect(status.notReady).toBe('the schema registry (registry.url) has not given the schema ids');
    // What the kubelet asks: a restart would not bring the registry back.
    expect((await fetch(`${pod.metricsUrl}/livez`)).status).toBe(200);
    expect((await fetch(`${pod.metricsUrl}/readyz`)).status).toBe(503);
    expect(await pod.stop()).toBe(0);
  });
});
