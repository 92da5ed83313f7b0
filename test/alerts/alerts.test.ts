import { beforeAll, describe, expect, it } from 'vitest';
import { NAMESPACE, RELEASE } from '../chart/helm.ts';
import { type Case, cases, type Firing } from './cases.ts';
import { testRules } from './promtool.ts';
import { type AlertRule, alertsOf, type RuleGroup, renderRules } from './rendered-rules.ts';

let groups: readonly RuleGroup[];
let alerts: readonly AlertRule[];

beforeAll(async () => {
  groups = await renderRules({}, { 'shards.count': 2 });
  alerts = alertsOf(groups);
});

/** Of the annotations only the summary: promtool compares all that there are. */
function withSummaryOnly(): unknown {
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, annotations: { summary: rule.annotations.summary } })),
    })),
  };
}

function firstSeverity(alert: string): string {
  return alerts.find((rule) => rule.alert === alert)!.labels.severity!;
}

function expected(alert: string, { severity = undefined, labels = {}, summary }: Firing) {
  const own = { namespace: NAMESPACE, release: RELEASE, severity: severity ?? firstSeverity(alert) };
  return { exp_labels: { ...labels, ...own }, exp_annotations: { summary } };
}

function promtoolTest(alert: string, { what, series, at, fires }: Case) {
  return {
    name: `${alert}: ${what}`,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      { eval_time: at, alertname: alert, exp_alerts: fires.map((firing) => expected(alert, firing)) },
    ],
  };
}

/** The same case with every series of another release, or of another namespace. */
function elsewhere(of: Case, label: 'release' | 'namespace', own: string): Case {
  const moved = Object.entries(of.series).map(([name, values]) => [
    name.replace(`${label}="${own}"`, `${label}="other"`),
    values,
  ]);
  return { ...of, series: Object.fromEntries(moved) as Case['series'], fires: [] };
}

describe('alerts', () => {
  it('all have cases in which they fire, and cases in which they do not', () => {
    expect(Object.keys(cases).sort()).toEqual([...new Set(alerts.map(({ alert }) => alert))].sort());
    for (const [alert, of] of Object.entries(cases)) {
      const severities = new Set(
        of.flatMap(({ fires }) => fires.map(({ severity }) => severity ?? firstSeverity(alert))),
      );
      const rules = alerts.filter((rule) => rule.alert === alert);
      expect(severities, alert).toEqual(new Set(rules.map(({ labels }) => labels.severity)));
      expect(
        of.some(({ fires }) => fires.length === 0),
        alert,
      ).toBe(true);
    }
  });

  it.each(Object.entries(cases))('%s', async (alert, of) => {
    const tests = of.map((each) => promtoolTest(alert, each));
    const { passed, text } = await testRules(withSummaryOnly(), tests);
    expect(passed, text).toBe(true);
  });

  it('do not fire for another release, nor for one of the same name in another namespace', async () => {
    // A missing shard is missing however many shards others have: absence is what that one is about.
    const tests = Object.entries(cases).flatMap(([alert, of]) =>
      of
        .filter(({ fires }) => fires.length > 0 && alert !== 'TicklineShardMissing')
        .flatMap((each) => [
          promtoolTest(alert, elsewhere(each, 'release', RELEASE)),
          promtoolTest(alert, elsewhere(each, 'namespace', NAMESPACE)),
        ]),
    );
    const { passed, text } = await testRules(withSummaryOnly(), tests);
    expect(passed, text).toBe(true);
  });

  it('name in their texts only labels that they carry', () => {
    for (const rule of alerts) {
      const carried = new Set([
        ...Object.keys(rule.labels),
        ...cases[rule.alert]!.flatMap(({ fires }) => fires.flatMap(({ labels = {} }) => Object.keys(labels))),
      ]);
      const texts = `${rule.annotations.summary} ${rule.annotations.description}`;
      for (const [, label] of texts.matchAll(/\$labels\.(\w+)/g)) {
        expect(carried, `${rule.alert}: ${label}`).toContain(label);
      }
    }
  });
});
