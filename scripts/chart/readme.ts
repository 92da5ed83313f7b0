/**
 * Writes charts/tickline/README.md: the introduction, and a table of all values from values.yaml with the
 * comments that begin with `--`. `--check` writes nothing and exits 1 when the file differs.
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMap, isPair, isScalar, type Pair, parse, parseDocument } from 'yaml';

const CHART = new URL('../../charts/tickline/', import.meta.url);

/** Where the chart's README is kept. */
export const README_FILE: string = fileURLToPath(new URL('README.md', CHART));

/** A value of the chart as people read about it. */
export interface DescribedValue {
  /** Dotted: `networkPolicy.egress.kafkaPorts`. */
  readonly path: string;
  /** The default, as JSON. */
  readonly fallback: string;
  readonly doc: string;
}

/**
 * The values that a values.yaml describes, in its order: each has a comment that begins with `--` above it,
 * which speaks of all that is below it, too. Throws where a value has none.
 */
export function describedValues(text: string): DescribedValue[] {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error('readme: the values are not a mapping');
  // The comment above the first key is that of the document.
  const [first] = document.contents.items;
  const described: DescribedValue[] = [];
  const walk = (pair: Pair, prefix: string, before: string): void => {
    if (!isScalar(pair.key)) throw new Error(`readme: ${prefix} has a key that is no text`);
    const path = `${prefix}${String(pair.key.value)}`;
    const doc = docOf(`${before}\n${pair.key.commentBefore ?? ''}`);
    if (doc !== null) {
      const value = isPair(pair) && pair.value !== null ? document.createNode(pair.value).toJSON() : null;
      described.push({ path, fallback: JSON.stringify(value ?? null), doc });
    } else if (isMap(pair.value) && pair.value.items.length > 0) {
      const [inner] = pair.value.items;
      for (const each of pair.value.items) {
        walk(each, `${path}.`, each === inner ? (pair.value.commentBefore ?? '') : '');
      }
    } else {
      throw new Error(`readme: ${path} has no comment that begins with "--"`);
    }
  };
  for (const pair of document.contents.items) {
    const before = `${document.commentBefore ?? ''}\n${document.contents.commentBefore ?? ''}`;
    walk(pair, '', pair === first ? before : '');
  }
  return described;
}

/** The lines of a comment from the one that begins with `--`; null where there is none. */
function docOf(comment: string): string | null {
  const lines = comment.split('\n').map((line) => line.trim());
  const from = lines.findIndex((line) => line.startsWith('-- '));
  return from < 0 ? null : lines.slice(from).join(' ').slice(3).trim();
}

/** The chart's README. */
export function chartReadme(): string {
  const chart = parse(readFileSync(new URL('Chart.yaml', CHART), 'utf8')) as {
    readonly description: string;
    readonly kubeVersion: string;
    readonly version: string;
  };
  const values = describedValues(readFileSync(new URL('values.yaml', CHART), 'utf8'));
  const rows = values.map(({ path, fallback, doc }) => `| \`${path}\` | ${code(fallback)} | ${cell(doc)} |`);
  return `${introduction(chart)}\n| value | default | what it is |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Long defaults are told by values.yaml itself. */
function code(text: string): string {
  return text.length > 90 ? 'see values.yaml' : `\`${text.replaceAll('|', '\\|')}\``;
}

function introduction(chart: {
  readonly description: string;
  readonly kubeVersion: string;
  readonly version: string;
}): string {
  return `# tickline

<!-- Written by: node scripts/chart/readme.ts. Change values.yaml, Chart.yaml or the script instead. -->

${chart.description}.

Version ${chart.version}. Kubernetes ${chart.kubeVersion}, Helm 3.17 or 4. [docs/kubernetes.md](../../docs/kubernetes.md)
says how to size, upgrade, reshard and secure an installation.

\`\`\`yaml
# values.yaml: the least that must be said
image:
  repository: registry.example.com/tickline
config:
  exchanges:
    binance: { symbols: [BTC-USDT, ETH-USDT] }
  kafka:
    brokers: ["kafka.kafka:9092"]
  registry:
    url: https://schema-registry.kafka:8081
\`\`\`

\`\`\`sh
helm install ticks charts/tickline -n market-data --create-namespace -f values.yaml
helm test ticks -n market-data
\`\`\`

\`config\` is the ingestor's own configuration, in the words of [docs/configuration.md](../../docs/configuration.md); the
chart adds the shards, addresses to listen on, and the files of secrets. Passwords are refused there: \`secrets\` names
existing Secrets and the keys in them. Values that are unknown, of a wrong type or that contradict each other are refused
before anything is installed, with all that is wrong. Examples of every mode are the files in [ci](ci).

What a release makes:

| object | name |
| --- | --- |
| a Deployment for each shard, or one StatefulSet | \`<fullname>-shard-<i>\`, \`<fullname>-shard\` |
| the configuration, as a ConfigMap | \`<fullname>\` |
| a headless Service over all pods (status page, scraping) | \`<fullname>-pods\` |
| a Service for the status page | \`<fullname>-page\` |
| Services for gRPC: headless, and one for each shard | \`<fullname>-grpc\`, \`<fullname>-shard-<i>\` |
| PodDisruptionBudget, NetworkPolicy, PodMonitor or ServiceMonitor, PrometheusRule | \`<fullname>\` |
| hooks: a Job that makes topics and schemas, with what it needs; the test's pod | \`<fullname>-provision\`, \`<fullname>-test\` |

No RBAC, no service account token, no CustomResourceDefinition of its own.

## Values
`;
}

const isMain =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) {
  const readme = chartReadme();
  if (!process.argv.includes('--check')) {
    writeFileSync(README_FILE, readme);
  } else if (readFileSync(README_FILE, 'utf8') !== readme) {
    process.stderr.write(
      'charts/tickline/README.md is not what its values say: run node scripts/chart/readme.ts\n',
    );
    process.exitCode = 1;
  }
}
