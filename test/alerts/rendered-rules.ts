import { RELEASE } from '../chart/helm.ts';
import { render } from '../chart/rendered.ts';

/** One alert of the rendered PrometheusRule. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A group of a Prometheus rules file, as a PrometheusRule holds it. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

/** Values with which the chart can be installed; shards and settings of the rule go over them. */
export const installable = {
  'config.exchanges': { okx: { symbols: ['*'] } },
  'config.kafka.brokers': ['kafka.example:9092'],
  'config.registry.url': 'https://registry.example',
};

const SETTINGS = 'monitoring.prometheusRule';

/** The groups of the rule that the chart makes of these values; keys below `monitoring.prometheusRule`. */
export async function renderRules(
  settings: Readonly<Record<string, unknown>> = {},
  values: Readonly<Record<string, unknown>> = {},
  release: string = RELEASE,
): Promise<readonly RuleGroup[]> {
  const own = Object.entries(settings).map(([path, value]) => [`${SETTINGS}.${path}`, value] as const);
  const { objects } = await render({
    release,
    set: { ...installable, ...values, [`${SETTINGS}.enabled`]: true, ...Object.fromEntries(own) },
  });
  const rule = objects.find(({ kind }) => kind === 'PrometheusRule');
  if (rule === undefined) throw new Error('the chart made no PrometheusRule');
  return (rule as unknown as { spec: { groups: RuleGroup[] } }).spec.groups;
}

/** All alerts of the groups. */
export function alertsOf(groups: readonly RuleGroup[]): AlertRule[] {
  return groups.flatMap(({ rules }) => rules);
}
