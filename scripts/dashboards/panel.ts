/** Where Grafana's dashboards read: the data source that the reader chooses. */
export const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` } as const;

/** One series, or one for each set of labels. */
export interface Query {
  /** PromQL; `@` stands for the labels by which the reader chooses namespace and release. */
  readonly expr: string;
  /** Name of a series, with its labels: `{{exchange}}`. */
  readonly legend: string;
}

/** A panel as its dashboard describes it: place and ids come later. */
export interface Panel {
  readonly kind: 'timeseries' | 'stat' | 'table' | 'heatmap';
  readonly title: string;
  /** What it shows, and what is right or wrong about it. */
  readonly description: string;
  /** A unit of Grafana: `reqps`, `bytes`, `s`, `ms`, `percentunit`, `short`. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly queries: readonly Query[];
  /** Of a stat or time series: where it is red, and below or above. */
  readonly alarm?: { readonly above: number } | { readonly below: number };
  readonly stacked?: boolean;
}

/** A heading and what stands below it. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** One dashboard. */
export interface Dashboard {
  /** Stable for life: links name it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Further variables besides data source, namespace and release. */
  readonly variables?: readonly Variable[];
  readonly rows: readonly Row[];
}

/** A variable whose values are those of a label. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Metric with selector; `@` as in {@link Query}. */
  readonly of: string;
}

/** A panel of series over time. */
export function series(
  title: string,
  description: string,
  unit: string,
  queries: readonly Query[],
  more: Partial<Pick<Panel, 'width' | 'alarm' | 'stacked'>> = {},
): Panel {
  return { kind: 'timeseries', title, description, unit, queries, width: 8, ...more };
}

/** One number, the latest. */
export function stat(
  title: string,
  description: string,
  unit: string,
  expr: string,
  more: Partial<Pick<Panel, 'width' | 'alarm'>> = {},
): Panel {
  return { kind: 'stat', title, description, unit, queries: [{ expr, legend: title }], width: 4, ...more };
}

/** A row for each series, a column for each label. */
export function table(title: string, description: string, expr: string, width: number): Panel {
  return { kind: 'table', title, description, unit: 'short', queries: [{ expr, legend: '' }], width };
}

/** A histogram over time. */
export function heatmap(title: string, description: string, unit: string, expr: string): Panel {
  return { kind: 'heatmap', title, description, unit, queries: [{ expr, legend: '{{le}}' }], width: 8 };
}
