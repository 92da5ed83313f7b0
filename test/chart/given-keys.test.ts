import { describe, expect, it } from 'vitest';
import { type PodMade, shardPods } from './kubernetes-objects.ts';
import { ciFile, render } from './rendered.ts';

/** The pod of the chart with ci/minimal-values.yaml, and these values over them; throws where YAML has a key twice. */
async function podWith(set: Readonly<Record<string, unknown>>): Promise<PodMade> {
  const { objects } = await render({ valuesFiles: [ciFile('minimal')], set });
  return shardPods(objects)[0]!;
}

describe('what the chart and the values both give', () => {
  it('is there once among the annotations: the checksum is the chart’s, the default container the values’', async () => {
    const checksum = 'checksum/config';
    const container = 'kubectl.kubernetes.io/default-container';
    const usual = (await podWith({})).annotations;
    expect(usual).toEqual({ [checksum]: expect.stringMatching(/^[0-9a-f]{64}$/), [container]: 'ingestor' });
    const { annotations } = await podWith({ podAnnotations: { [checksum]: 'none', [container]: 'sidecar' } });
    expect(annotations).toEqual({ [checksum]: usual[checksum], [container]: 'sidecar' });
  });

  it('is there once in a spread constraint: its own selector stays as it is', async () => {
    const labelSelector = {
      matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'Exists' }],
    };
    const constraint = { maxSkew: 2, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' };
    const { spec } = await podWith({
      topologySpreadConstraints: [{ ...constraint, labelSelector }, constraint],
    });
    expect(spec.topologySpreadConstraints?.map((each) => each.labelSelector)).toEqual([
      labelSelector,
      { matchLabels: expect.any(Object) },
    ]);
  });
});
