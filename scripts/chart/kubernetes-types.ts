/**
 * Writes the definitions `k8s.*` of charts/tickline/values.schema.json: the types of Kubernetes that values
 * hand through (volumes, containers, tolerations …), from the strict JSON schemas of the newest version that
 * the Python environment of the tests brings. `--check` writes nothing and exits 1 when they differ.
 */
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  CHART_SCHEMA_FILE,
  type JsonSchema,
  jsonText,
} from '../../services/ingestor/src/config/json-schema.ts';

const PYTHON_PACKAGES = fileURLToPath(new URL('../../.tickline/cache/python/lib/', import.meta.url));
const PREFIX = 'k8s.';

/** Types by the names that the chart's schema uses for them, without the prefix. */
const ROOTS = [
  'core.v1.Affinity',
  'core.v1.Container',
  'core.v1.EnvFromSource',
  'core.v1.EnvVar',
  'core.v1.HostAlias',
  'core.v1.LocalObjectReference',
  'core.v1.PodDNSConfig',
  'core.v1.PodSecurityContext',
  'core.v1.SecurityContext',
  'core.v1.Toleration',
  'core.v1.TopologySpreadConstraint',
  'core.v1.Volume',
  'core.v1.VolumeMount',
  'networking.v1.NetworkPolicyEgressRule',
  'networking.v1.NetworkPolicyIngressRule',
  'networking.v1.NetworkPolicyPeer',
];

/** The definitions of all types that the chart hands through, by name with the prefix. */
export function kubernetesTypes(): Record<string, JsonSchema> {
  const known = readDefinitions();
  const found = new Map<string, JsonSchema>();
  const take = (name: string): void => {
    const key = shortName(name);
    if (found.has(key)) return;
    const definition = known[name];
    if (definition === undefined) throw new Error(`kubernetes-types: Kubernetes has no type ${name}`);
    const plain = name.endsWith('.IntOrString')
      ? { type: ['string', 'integer', 'null'] }
      : name.endsWith('.Quantity')
        ? { type: ['string', 'number', 'null'] }
        : (withoutProse(definition) as JsonSchema);
    found.set(key, rewritten(plain) as JsonSchema);
    for (const [, other] of JSON.stringify(plain).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)) take(other!);
  };
  for (const root of ROOTS) take(`io.k8s.api.${root}`);
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The chart's schema with these definitions in the place of those it has. */
export function withKubernetesTypes(chartSchema: JsonSchema): JsonSchema {
  const others = Object.entries(chartSchema.definitions as JsonSchema).filter(
    ([name]) => !name.startsWith(PREFIX),
  );
  return { ...chartSchema, definitions: { ...Object.fromEntries(others), ...kubernetesTypes() } };
}

/** `io.k8s.api.core.v1.Volume` → `k8s.core.v1.Volume`. */
function shortName(name: string): string {
  return PREFIX + name.replace(/^io\.k8s\.(api|apimachinery\.pkg)\./, '');
}

function readDefinitions(): Readonly<Record<string, JsonSchema>> {
  const python = readdirSync(PYTHON_PACKAGES).find((name) => name.startsWith('python3'));
  const folder = `${PYTHON_PACKAGES}${python}/site-packages/kubernetes_validate/kubernetes-json-schema/`;
  const minor = (name: string): number => Number(/^v1\.(\d+)\./.exec(name)?.[1]);
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('-local-strict'))
    .sort((a, b) => minor(b) - minor(a))[0];
  const file = JSON.parse(readFileSync(`${folder}${newest}/_definitions.json`, 'utf8')) as {
    readonly $defs: Readonly<Record<string, JsonSchema>>;
  };
  return file.$defs;
}

/** A schema without descriptions and notes of Kubernetes, which would make four fifths of it. */
function withoutProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, each]) => !name.startsWith('x-kubernetes-') && !isProse(name, each))
      .map(([name, each]) => [name, withoutProse(each)]),
  );
}

/** `description` and `format` may be names of properties, too: those are objects. */
function isProse(name: string, value: unknown): boolean {
  return (name === 'description' || name === 'format') && typeof value === 'string';
}

function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) =>
      name === '$ref' && typeof each === 'string'
        ? [name, `#/definitions/${shortName(each.slice('#/$defs/'.length))}`]
        : [name, rewritten(each)],
    ),
  );
}

const isMain =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) {
  const before = readFileSync(CHART_SCHEMA_FILE, 'utf8');
  const after = `${jsonText(withKubernetesTypes(JSON.parse(before) as JsonSchema))}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(CHART_SCHEMA_FILE, after);
  } else if (before !== after) {
    process.stderr.write(
      'charts/tickline/values.schema.json has other types of Kubernetes: run node scripts/chart/kubernetes-types.ts\n',
    );
    process.exitCode = 1;
  }
}
