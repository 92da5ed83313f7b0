import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { pythonFolder } from '../../scripts/setup.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';

/** The oldest and the newest version of Kubernetes that the chart supports. */
export const KUBERNETES_VERSIONS = ['1.29.0', '1.37.0'] as const;
export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

/**
 * Kubernetes' own JSON schemas of one version in their strict form, which refuses unknown fields. They come with the
 * Python package kubernetes-validate. Each kind's validator is made when it is first asked for.
 */
export class KubernetesSchemas {
  readonly version: KubernetesVersion;
  private readonly folder: string;
  private readonly validators = new Map<string, ValidateFunction | undefined>();
  private readonly ajv = new Ajv({
    // The schemas are Kubernetes', not ours: they are not judged, and their `format`s (int32, date-time) are remarks.
    strict: false,
    validateSchema: false,
    validateFormats: false,
    inlineRefs: false,
    allErrors: true,
  });

  constructor(version: KubernetesVersion) {
    this.version = version;
    this.folder = join(schemasFolder(), `v${version}-local-strict`);
    const definitions = readJson(join(this.folder, '_definitions.json'));
    if (definitions === undefined) {
      throw new Error(`${this.folder} is not there: \`node scripts/setup.ts tests\` installs it`);
    }
    this.ajv.addSchema(definitions, '_definitions.json');
  }

  /** What is wrong with an object, a sentence each. @throws Error for a kind that this version does not have */
  problemsOf(object: KubernetesObject): string[] {
    const validate = this.validatorOf(object);
    if (validate === undefined) {
      throw new Error(`Kubernetes ${this.version} has no ${object.kind} of ${object.apiVersion}`);
    }
    if (validate(object)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const named = 'additionalProperty' in params ? `: ${params.additionalProperty}` : '';
      return `${instancePath === '' ? '/' : instancePath} ${message}${named}`;
    });
  }

  private validatorOf({ apiVersion, kind }: KubernetesObject): ValidateFunction | undefined {
    const file = schemaFile(apiVersion, kind);
    if (!this.validators.has(file)) {
      const schema = readJson(join(this.folder, file));
      this.validators.set(file, schema === undefined ? undefined : this.ajv.compile(schema));
    }
    return this.validators.get(file);
  }
}

/** `Deployment` of `apps/v1` → `deployment-apps-v1.json`; `networking.k8s.io/v1` counts by its first word. */
function schemaFile(apiVersion: string, kind: string): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : [undefined, apiVersion];
  return [kind.toLowerCase(), group?.split('.')[0], version].filter(Boolean).join('-').concat('.json');
}

function schemasFolder(): string {
  const lib = join(pythonFolder, 'lib');
  const python = existsSync(lib) ? readdirSync(lib).find((name) => name.startsWith('python')) : undefined;
  return join(lib, python ?? 'python', 'site-packages/kubernetes_validate/kubernetes-json-schema');
}

function readJson(file: string): object | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as object;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
