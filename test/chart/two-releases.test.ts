import { describe, expect, it } from 'vitest';
import { ciValues, valueAt } from './ci-values.ts';
import { nameOf, ofKind, podsMade, workloads } from './kubernetes-objects.ts';
import { selects } from './label-selector.ts';
import { ciFile, ciNames, type Rendered, render } from './rendered.ts';

const long = 'x'.repeat(52);
/** Who names all objects himself gives each release another name. */
const named = ciNames.filter((name) => valueAt(ciValues(name), 'fullnameOverride') === undefined);

const pairs: readonly (readonly [one: string, other: string, names: readonly string[]])[] = [
  ['demo', 'demo-2', named],
  ['tickline', 'tickline-shard', ['statefulset', 'network-policy']],
  [`${long}1`, `${long}2`, ['minimal', 'network-policy']],
];

describe.each(pairs)('the releases %s and %s in one namespace', (one, other, names) => {
  it.concurrent.each(names)(
    'share no object, and no pod is selected by the other, with ci/%s-values.yaml',
    async (name) => {
      const valuesFiles = [ciFile(name)];
      const renders = [
        await render({ release: one, valuesFiles }),
        await render({ release: other, valuesFiles }),
      ];
      const made = renders.map(({ objects }) =>
        objects.filter(({ metadata }) => metadata.labels?.['helm.sh/chart'] !== undefined).map(nameOf),
      );
      expect(made[0]?.filter((each) => made[1]?.includes(each))).toEqual([]);
      for (const [from, to] of [renders, renders.toReversed()] as [Rendered, Rendered][]) {
        expect(selectedBy(from, to)).toEqual([]);
      }
    },
  );
});

/** What of one release selects pods of another. */
function selectedBy({ objects }: Rendered, to: Rendered): string[] {
  const selectors = [
    ...workloads(objects).map((object) => [object, object.spec.selector] as const),
    ...ofKind(objects, 'Service').map(
      (object) => [object, { matchLabels: object.spec.selector ?? {} }] as const,
    ),
    ...ofKind(objects, 'PodDisruptionBudget').map((object) => [object, object.spec.selector] as const),
    ...ofKind(objects, 'NetworkPolicy').map((object) => [object, object.spec.podSelector] as const),
    ...ofKind(objects, 'PodMonitor').map((object) => [object, object.spec.selector] as const),
  ];
  const pods = podsMade(to.objects);
  const services = ofKind(to.objects, 'Service');
  return [
    ...selectors
      .filter(([, selector]) => pods.some(({ labels }) => selects(selector, labels)))
      .map(([object]) => nameOf(object)),
    ...ofKind(objects, 'ServiceMonitor')
      .filter(({ spec }) => services.some(({ metadata }) => selects(spec.selector, metadata.labels ?? {})))
      .map(nameOf),
  ];
}
