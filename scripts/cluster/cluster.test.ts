import { describe, expect, it } from 'vitest';
import { isReady, type PodObject, restartsOf, warningsIn } from './cluster.ts';

const pod = (status: Partial<PodObject['status']>): PodObject => ({
  ...{ kind: 'Pod', metadata: { name: 'p' }, spec: {} },
  status: { phase: 'Running', ...status },
});

describe('what kubectl and helm say', () => {
  it('is a warning when they, or the API server through them, warn', () => {
    const stderr = [
      'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
      'W1122 21:00:00.000000   1 warnings.go:70] unknown field "spec.x"',
      'WARNING: Kubernetes configuration file is group-readable.',
      'node/node-0 cordoned',
      'evicting pod tickline-test/tickline-shard-0',
      '(Use `node --trace-warnings ...` to show where the warning was created)',
    ].join('\n');
    expect(warningsIn(stderr)).toEqual(stderr.split('\n').slice(0, 3));
    expect(warningsIn('')).toEqual([]);
  });
});

describe('a pod', () => {
  it('is ready when its condition says so', () => {
    expect(isReady(pod({ conditions: [{ type: 'Ready', status: 'True' }] }))).toBe(true);
    expect(isReady(pod({ conditions: [{ type: 'Ready', status: 'False' }] }))).toBe(false);
    expect(isReady(pod({ conditions: [{ type: 'PodScheduled', status: 'True' }] }))).toBe(false);
    expect(isReady(pod({}))).toBe(false);
  });

  it('counts restarts of its containers and of native sidecars', () => {
    expect(
      restartsOf(
        pod({
          containerStatuses: [{ name: 'ingestor', restartCount: 1 }],
          initContainerStatuses: [{ name: 'sidecar', restartCount: 2 }],
        }),
      ),
    ).toBe(3);
    expect(restartsOf(pod({}))).toBe(0);
  });
});
