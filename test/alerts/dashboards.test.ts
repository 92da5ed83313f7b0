import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dashboardsFolder, staleDashboards } from '../../scripts/dashboards/main.ts';
import { render } from '../chart/rendered.ts';
import { dashboardExpressions, grafanaDashboards } from './grafana-expressions.ts';
import { checkRules } from './promtool.ts';
import { installable } from './rendered-rules.ts';

describe('the dashboards', () => {
  it('are fleet, exchange, kafka and runtime, and what scripts/dashboards makes', () => {
    expect([...grafanaDashboards.keys()].sort()).toEqual([
      'exchange.json',
      'fleet.json',
      'kafka.json',
      'runtime.json',
    ]);
    expect(staleDashboards()).toEqual([]);
  });

  it('have ids and titles of their own', () => {
    const all = [...grafanaDashboards.values()];
    for (const of of [all.map(({ uid }) => uid), all.map(({ title }) => title)]) {
      expect(new Set(of).size).toBe(all.length);
    }
  });

  describe.each([...grafanaDashboards])('%s', (_, { panels, templating, schemaVersion }) => {
    it('chooses data source, namespace and release', () => {
      expect(schemaVersion).toBeGreaterThanOrEqual(41);
      expect(templating.list.slice(0, 3).map(({ name }) => name)).toEqual([
        'datasource',
        'namespace',
        'release',
      ]);
    });

    it('has panels with ids of their own, none over another', () => {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const taken = new Set<string>();
      for (const { title, gridPos } of panels) {
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x},${y}`), `${title} at ${x},${y}`).toBe(false);
            taken.add(`${x},${y}`);
          }
        }
      }
    });

    it('explains every panel, and gives it a unit', () => {
      const drawn = panels.filter(({ type }) => type !== 'row');
      expect(drawn.length).toBeGreaterThan(5);
      for (const { title, description = '', fieldConfig, targets = [] } of drawn) {
        expect(description.length, title).toBeGreaterThan(15);
        expect(fieldConfig?.defaults.unit, title).toMatch(/^\w+$/);
        expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      }
    });

    it('reads only what its reader chose', () => {
      const variables = new Set(['__rate_interval', ...templating.list.map(({ name }) => name)]);
      for (const { targets = [], title } of panels) {
        for (const { expr } of targets) {
          for (const [, name] of expr.matchAll(/\$(\w+)/g)) expect(variables, title).toContain(name);
          const series = expr.match(/\{[^}]*\}/g) ?? [];
          expect(series.length, `${title}: ${expr}`).toBeGreaterThan(0);
          for (const selector of series) {
            expect(selector, title).toContain('namespace=~"$namespace",release=~"$release"');
          }
        }
      }
    });

    it('names its series by labels that its expressions keep', () => {
      for (const { targets = [], title } of panels) {
        for (const { expr, legendFormat } of targets) {
          const grouping = /^\(?(?:\w+\([\d.]+, )?(?:sum|max|avg|count) by \(([^)]*)\)/.exec(expr)?.[1];
          if (grouping === undefined) continue;
          const kept = grouping.split(',').map((label) => label.trim());
          for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
            expect(kept, title).toContain(label);
        }
      }
    });
  });

  it('have expressions that Prometheus takes', async () => {
    const rules = dashboardExpressions().map((expr, index) => ({ record: `panel:${index}`, expr }));
    expect(rules.length).toBeGreaterThan(60);
    const { passed, text } = await checkRules({ groups: [{ name: 'panels', rules }] });
    expect(passed, text).toBe(true);
  });

  it('are ConfigMaps that Grafana’s sidecar finds, each with its file as it is', async () => {
    const { objects } = await render({ set: { ...installable, 'monitoring.dashboards.enabled': true } });
    const maps = objects.filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    expect(maps.map(({ kind }) => kind)).toEqual(['ConfigMap', 'ConfigMap', 'ConfigMap', 'ConfigMap']);
    for (const map of maps) {
      const [[file, text]] = Object.entries(map.data as Record<string, string>) as [[string, string]];
      const source = readFileSync(join(dashboardsFolder, file.replace(/^tickline-/, '')), 'utf8');
      expect(text).toBe(source.trim());
    }
  });

  it('have the labels and annotations of the values, and are left out where they are not wanted', async () => {
    const of = async (settings: object) =>
      (await render({ set: { ...installable, ...settings } })).objects.filter(({ metadata }) =>
        metadata.name.includes('-dashboard-'),
      );
    expect(await of({})).toEqual([]);
    const maps = await of({
      'monitoring.dashboards.enabled': true,
      'monitoring.dashboards.labels': { folder: 'x' },
      'monitoring.dashboards.annotations': { grafana_folder: 'Market data' },
    });
    expect(maps).toHaveLength(4);
    for (const { metadata } of maps) {
      expect(metadata.labels).toMatchObject({ folder: 'x' });
      expect(metadata.annotations).toMatchObject({ grafana_folder: 'Market data' });
    }
  });
});
