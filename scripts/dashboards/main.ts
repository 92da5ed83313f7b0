import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../stack/paths.ts';
import { exchange } from './exchange.ts';
import { fleet } from './fleet.ts';
import { grafanaJson } from './grafana.ts';
import { kafka } from './kafka.ts';
import type { Dashboard } from './panel.ts';
import { printJson } from './print-json.ts';
import { runtime } from './runtime.ts';

/** All dashboards, by the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = { fleet, exchange, kafka, runtime };

/** Where the chart has them. */
export const dashboardsFolder = join(repositoryRoot, 'charts', 'tickline', 'files', 'dashboards');

/** The file of a dashboard, as it should be. */
export function dashboardFile(name: string): string {
  return `${printJson(grafanaJson(dashboards[name]!))}\n`;
}

/** Names of dashboards whose file is not what it should be. */
export function staleDashboards(): string[] {
  return Object.keys(dashboards).filter((name) => {
    const file = join(dashboardsFolder, `${name}.json`);
    return !existsSync(file) || readFileSync(file, 'utf8') !== dashboardFile(name);
  });
}

// Writes charts/tickline/files/dashboards; with --check it only says whether they are right.
if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = staleDashboards();
    if (stale.length > 0) {
      process.stderr.write(
        `charts/tickline/files/dashboards: ${stale.join(', ')} is not what scripts/dashboards says: run node scripts/dashboards/main.ts\n`,
      );
      process.exitCode = 1;
    }
  } else {
    mkdirSync(dashboardsFolder, { recursive: true });
    for (const name of Object.keys(dashboards)) {
      writeFileSync(join(dashboardsFolder, `${name}.json`), dashboardFile(name));
    }
  }
}
