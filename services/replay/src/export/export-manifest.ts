import { SettingsError } from '../connection/settings-error.ts';
import type { ExportPlan } from './export-plan.ts';
import type { SkipReport } from './skip-count.ts';

const MANIFEST_VERSION = 1;

/** A file of an export. */
export interface ManifestFile {
  /** The file's name, or where it lies in the folder of the export. */
  readonly path: string;
  readonly bytes: number;
  readonly records: number;
  readonly sha256: string;
}

/** What `manifest.json` says: enough to check an export, and to make it again. */
export interface ExportManifest {
  readonly manifest: typeof MANIFEST_VERSION;
  /** `tickline 0.1.0, Node v24…, zstd 1.5.7`: what the bytes of the files depend on beside the records. */
  readonly tool: string;
  /** The name of the export's file or folder, beside the manifest. */
  readonly output: string;
  readonly plan: ExportPlan;
  readonly records: number;
  readonly skipped: SkipReport;
  /** Records by the id of their schema in the registry. */
  readonly schemas: Readonly<Record<string, number>>;
  readonly files: readonly ManifestFile[];
}

export function manifestText(manifest: Omit<ExportManifest, 'manifest'>): string {
  return `${JSON.stringify({ manifest: MANIFEST_VERSION, ...manifest }, null, 2)}\n`;
}

/** Throws SettingsError. */
export function parseManifest(text: string, path: string): ExportManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SettingsError(`${path} is not JSON`, { cause });
  }
  const manifest = json as Partial<ExportManifest> | null;
  if (typeof manifest !== 'object' || manifest?.manifest !== MANIFEST_VERSION) {
    throw new SettingsError(
      `${path} is not the manifest of an export by tickline (version ${MANIFEST_VERSION})`,
    );
  }
  const { plan, files, output } = manifest;
  if (!Array.isArray(plan?.ranges) || !Array.isArray(files) || typeof output !== 'string') {
    throw new SettingsError(`${path} lacks plan, files or output: it was cut off or changed`);
  }
  return manifest as ExportManifest;
}
