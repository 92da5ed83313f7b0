import { describe, expect, it } from 'vitest';
import { ofKind, type PodMade, podsMade } from './kubernetes-objects.ts';
import { policiesAllow } from './network-policy-rules.ts';
import { ciFile, type Rendered, render } from './rendered.ts';

/** The chart with ci/minimal-values.yaml, and these values over them. */
function withValues(set: Readonly<Record<string, unknown>>): Promise<Rendered> {
  return render({ valuesFiles: [ciFile('minimal')], set });
}

function jobOf({ objects }: Rendered): PodMade {
  const job = podsMade(objects).find(({ object }) => object.kind === 'Job');
  if (job === undefined) throw new Error('the chart made no Job');
  return job;
}

describe('the Job of provision', () => {
  it.each([
    [{}, ['provision']],
    [{ 'provision.topics': false }, ['provision', '--skip-topics']],
    [{ 'provision.registerVersions': true }, ['provision', '--register-versions']],
    [
      { 'provision.topics': false, 'provision.registerVersions': true },
      ['provision', '--skip-topics', '--register-versions'],
    ],
  ])('with %j has the arguments %j', async (set, args) => {
    expect(jobOf(await withValues(set)).spec.containers[0]?.args).toEqual(args);
  });

  it('reaches the brokers and the registry of its own configuration', async () => {
    const rendered = await withValues({
      'networkPolicy.enabled': true,
      'provision.config': {
        kafka: { brokers: ['admin.kafka:9999'] },
        registry: { url: 'https://admin-registry:8555' },
      },
    });
    const { labels } = jobOf(rendered);
    const policies = ofKind(rendered.objects, 'NetworkPolicy');
    const peer = { address: '10.1.2.3' };
    const reached = [8081, 8555, 9092, 9999].filter((port) =>
      policiesAllow(policies, labels, { direction: 'egress', peer, port }),
    );
    expect(reached).toEqual([8555, 9999]);
  });

  it('has the labels of the values, which can not take the place of its own', async () => {
    const own = { 'sidecar.istio.io/inject': 'false', 'app.kubernetes.io/component': 'ingestor' };
    const { labels } = jobOf(await withValues({ 'provision.podLabels': own }));
    expect(labels).toMatchObject({
      'sidecar.istio.io/inject': 'false',
      'app.kubernetes.io/component': 'provision',
    });
  });
});
