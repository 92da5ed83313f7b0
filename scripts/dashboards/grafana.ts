import { DATASOURCE, type Dashboard, type Panel, type Variable } from './panel.ts';

/** Schema of dashboards of Grafana 12; older ones take it, newer ones migrate it when they load it. */
const SCHEMA_VERSION = 41;
const HEIGHTS = { timeseries: 8, heatmap: 8, table: 8, stat: 4 } as const;
const COLUMNS = 24;

/** By which labels series are chosen: `@` in a query. */
const SELECTOR = 'namespace=~"$namespace",release=~"$release"';

/** A dashboard's expression as Grafana sends it, but for Grafana's variables. */
export function expressionOf(expr: string): string {
  return expr.replaceAll('@', SELECTOR);
}

/** The dashboard as Grafana imports it: JSON without anything that differs from one making to the next. */
export function grafanaJson(dashboard: Dashboard): Record<string, unknown> {
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    description: dashboard.description,
    tags: ['tickline'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Tickline',
        tags: ['tickline'],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: { list: [datasource(), ...variables(dashboard)] },
    panels: placed(dashboard),
  };
}

function datasource(): Record<string, unknown> {
  return { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 };
}

function variables({ variables: own = [] }: Dashboard): Record<string, unknown>[] {
  const all: Variable[] = [
    { name: 'namespace', label: 'Namespace', of: 'tickline_build_info' },
    { name: 'release', label: 'Release', of: 'tickline_build_info{namespace=~"$namespace"}' },
    ...own,
  ];
  return all.map(({ name, label, of }) => {
    const query = `label_values(${expressionOf(of)}, ${name})`;
    return {
      name,
      label,
      type: 'query',
      datasource: DATASOURCE,
      definition: query,
      query: { query, refId: name },
      // New ones appear when the time range changes.
      refresh: 2,
      sort: 1,
      multi: true,
      includeAll: true,
      current: { text: ['All'], value: ['$__all'] },
    };
  });
}

/** Rows from top to bottom, panels from left to right, each as far up as its line. */
function placed({ rows }: Dashboard): Record<string, unknown>[] {
  const out: Record<string, unknown>[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    out.push({
      id: out.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y++;
    let x = 0;
    let lineHeight = 0;
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      const h = HEIGHTS[panel.kind];
      out.push({ id: out.length + 1, gridPos: { x, y, w: panel.width, h }, ...grafanaPanel(panel) });
      x += panel.width;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return out;
}

function grafanaPanel(panel: Panel): Record<string, unknown> {
  const { kind, title, description, unit, queries } = panel;
  return {
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr: expressionOf(expr),
      legendFormat: legend === '' ? '__auto' : legend,
      ...FORMATS[kind],
    })),
    fieldConfig: { defaults: { unit, ...drawing(panel) }, overrides: [] },
    options: kind === 'heatmap' ? { ...OPTIONS.heatmap, yAxis: { unit } } : OPTIONS[kind],
    ...(kind === 'table' ? { transformations: [LABELS_ONLY] } : {}),
  };
}

const FORMATS = {
  timeseries: { range: true },
  stat: { instant: true },
  table: { instant: true, format: 'table' },
  heatmap: { range: true, format: 'heatmap' },
} as const;

const OPTIONS = {
  timeseries: {
    legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: { colorMode: 'value', graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'] } },
  table: { showHeader: true, cellHeight: 'sm' },
  heatmap: { calculate: false, color: { mode: 'scheme', scheme: 'Blues' } },
} as const;

/** What a table of an info metric says is in its labels. */
const LABELS_ONLY = {
  id: 'organize',
  options: { excludeByName: { Time: true, Value: true, __name__: true } },
} as const;

function drawing({ kind, alarm, stacked }: Panel): Record<string, unknown> {
  const thresholds =
    alarm === undefined
      ? {}
      : {
          thresholds: {
            mode: 'absolute',
            steps:
              'above' in alarm
                ? [
                    { color: 'green', value: null },
                    { color: 'red', value: alarm.above },
                  ]
                : [
                    { color: 'red', value: null },
                    { color: 'green', value: alarm.below },
                  ],
          },
        };
  if (kind !== 'timeseries') return thresholds;
  const custom = {
    lineWidth: 1,
    fillOpacity: stacked === true ? 30 : 5,
    showPoints: 'never',
    stacking: { mode: stacked === true ? 'normal' : 'none', group: 'A' },
    ...(alarm === undefined ? {} : { thresholdsStyle: { mode: 'line' } }),
  };
  return { ...thresholds, custom };
}
