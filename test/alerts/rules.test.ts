import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { chartFolder, NAMESPACE, RELEASE } from '../chart/helm.ts';
import { checkRules } from './promtool.ts';
import { alertsOf, renderRules } from './rendered-rules.ts';

type Settings = Readonly<Record<string, string | number | boolean>>;

const values = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8')) as {
  monitoring: { prometheusRule: { alerts: Record<string, Settings> } };
};
const settingsOf = values.monitoring.prometheusRule.alerts;
const names = Object.keys(settingsOf);
const runbooks = join(repositoryRoot, 'docs', 'runbooks');

/** A value that no setting has by default, and that is another for each setting of an alert. */
function otherValue(setting: string, index: number): string | number {
  if (setting === 'for') return '7h';
  if (/severity$/i.test(setting)) return `severity-${index}`;
  if (/share$|^quantile$/i.test(setting)) return (71 + index) / 100;
  return 7_001 + index;
}

/** That number, not as a part of another. */
function number(value: string | number): RegExp {
  return new RegExp(`(?<![\\w.])${String(value).replace('.', '\\.')}(?![\\w.])`);
}

describe('the PrometheusRule', () => {
  it('is one that Prometheus takes, with one shard and with many', async () => {
    for (const count of [1, 12]) {
      const { passed, text } = await checkRules({
        groups: await renderRules({}, { 'shards.count': count }),
      });
      expect(passed, text).toBe(true);
      expect(text).not.toMatch(/duplicate/);
    }
  });

  it('has an alert for each one of the values, and no other', async () => {
    const alerts = alertsOf(await renderRules());
    expect([...new Set(alerts.map(({ alert }) => alert))].sort()).toEqual([...names].sort());
  });

  it('has a runbook for each alert, and no other; each alert names its own', async () => {
    const pages = readdirSync(runbooks).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual(names.map((name) => `${name}.md`).sort());
    const alerts = alertsOf(await renderRules({ runbookUrl: 'https://runbooks.example/tickline/' }));
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook_url).toBe(`https://runbooks.example/tickline/${alert}.md`);
    }
  });

  it('names the page within the repository where no address of it is known', async () => {
    for (const { alert, annotations } of alertsOf(await renderRules())) {
      expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook', 'summary']);
      expect(annotations.runbook).toBe(`docs/runbooks/${alert}.md`);
    }
  });

  it.each(names)('%s can be taken out by name', async (name) => {
    const alerts = alertsOf(await renderRules({ [`alerts.${name}.enabled`]: false }));
    expect(new Set(alerts.map(({ alert }) => alert))).toEqual(
      new Set(names.filter((other) => other !== name)),
    );
  });

  it.each(names)('%s has its time, severities and thresholds from the values', async (name) => {
    const changed = Object.keys(settingsOf[name]!)
      .filter((setting) => setting !== 'enabled')
      .map((setting, index) => [setting, otherValue(setting, index)] as const);
    const groups = await renderRules(
      Object.fromEntries(changed.map(([setting, value]) => [`alerts.${name}.${setting}`, value])),
    );
    const rules = alertsOf(groups).filter(({ alert }) => alert === name);
    const severities = changed.filter(([setting]) => /severity$/i.test(setting));
    expect(rules.map(({ labels }) => labels.severity)).toEqual(severities.map(([, value]) => value));
    expect(rules.map((rule) => rule.for)).toEqual(rules.map(() => otherValue('for', 0)));
    const expressions = rules.map(({ expr }) => expr).join('\n');
    for (const [setting, value] of changed) {
      if (setting !== 'for' && !/severity$/i.test(setting)) expect(expressions).toMatch(number(value));
    }
    const { passed, text } = await checkRules({ groups });
    expect(passed, text).toBe(true);
  });

  it('wakes somebody for what can not wait, and for nothing else', async () => {
    const critical = alertsOf(await renderRules())
      .filter(({ labels }) => labels.severity === 'critical')
      .map(({ alert }) => alert);
    expect(critical).toEqual([
      'TicklineShardMissing',
      'TicklineSymbolUnowned',
      'TicklineExchangeDown',
      'TicklineFeedStale',
      'TicklineInvalidFrames',
      'TicklineSinkUnhealthy',
      'TicklineQueueHigh',
      'TicklineRecordsDropped',
    ]);
  });

  it('looks at the series of its own release, by the labels that the monitors attach or that the values name', async () => {
    for (const [settings, selector] of [
      [{}, `namespace="${NAMESPACE}",release="${RELEASE}"`],
      [{ matchers: { cluster: 'east', job: 'a "b"' } }, 'cluster="east",job="a \\"b\\""'],
    ] as const) {
      const groups = await renderRules(settings);
      for (const { alert, expr, labels } of alertsOf(groups)) {
        const metrics = expr.match(/\b(?:tickline|ws|process|nodejs)_\w+(?:\{|\b)/g)!;
        expect(metrics.length, alert).toBeGreaterThan(0);
        const selected = expr.split(`{${selector}`).length - 1;
        expect(selected, `${alert}: ${expr}`).toBe(metrics.length);
        expect(labels).toMatchObject({ namespace: NAMESPACE, release: RELEASE });
      }
      const { passed, text } = await checkRules({ groups });
      expect(passed, text).toBe(true);
    }
  });

  it('gives every alert the labels of the values, which can not take the place of its own', async () => {
    const alerts = alertsOf(await renderRules({ alertLabels: { team: 'data', severity: 'none' } }));
    for (const { labels } of alerts) {
      expect(labels).toMatchObject({ team: 'data', severity: expect.stringMatching(/^(critical|warning)$/) });
    }
  });

  it.each([
    ['an alert that there is not', { 'alerts.TicklineShardMising.enabled': false }, 'TicklineShardMising'],
    ['a setting that there is not', { 'alerts.TicklineGaps.threshold': 1 }, 'threshold'],
    ['an alert that is taken away', { 'alerts.TicklineGaps': null }, 'TicklineGaps'],
    ['a share above one', { 'alerts.TicklineQueueHigh.share': 70 }, 'TicklineQueueHigh'],
    ['a time without unit', { 'alerts.TicklineGaps.for': '30' }, 'TicklineGaps'],
    [
      'a label that Prometheus has not',
      { matchers: { 'app.kubernetes.io/name': 'x' } },
      'app.kubernetes.io/name',
    ],
  ])('refuses %s', async (_, settings, named) => {
    await expect(renderRules(settings)).rejects.toThrow(named);
  });
});
