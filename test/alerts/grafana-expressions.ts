import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardsFolder } from '../../scripts/dashboards/main.ts';

/** What of a Grafana panel the tests look at. */
export interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

/** What of a Grafana dashboard the tests look at. */
export interface GrafanaDashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly panels: readonly GrafanaPanel[];
}

/** The chart's dashboards, by file name. */
export const grafanaDashboards: ReadonlyMap<string, GrafanaDashboard> = new Map(
  readdirSync(dashboardsFolder).map((file) => [
    file,
    JSON.parse(readFileSync(join(dashboardsFolder, file), 'utf8')) as GrafanaDashboard,
  ]),
);

/** An expression as Grafana sends it: with values in the place of its variables. */
export function asSent(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replace(/\$\w+/g, 'some');
}

/** All expressions of all dashboards, variables' included. */
export function dashboardExpressions(): string[] {
  return [...grafanaDashboards.values()].flatMap(({ panels, templating }) => [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => asSent(expr))),
    ...templating.list.flatMap(({ definition }) => {
      const of = definition === undefined ? undefined : /^label_values\((.*), \w+\)$/s.exec(definition)?.[1];
      return of === undefined ? [] : [asSent(of)];
    }),
  ]);
}
