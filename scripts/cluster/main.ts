import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../stack/paths.ts';
import { Cluster } from './cluster.ts';
import { startCommand } from './command.ts';
import { testOnFakeNodes } from './on-fake-nodes.ts';
import { RealNodesTest, startStack } from './on-real-nodes.ts';
import { deleteNamespace } from './release.ts';
import { releaseValues } from './release-values.ts';
import { StackAddresses } from './stack-objects.ts';
import { Steps } from './steps.ts';

const help = `Tries the chart and the image on the cluster that the current kubeconfig names (make test-cluster).

  node scripts/cluster/main.ts [options]

  --image NAME:TAG        our image, which the nodes must have or be able to pull (environment: TICKLINE_CLUSTER_IMAGE)
  --stack-image NAME:TAG  image of the test stack, likewise (environment: TICKLINE_CLUSTER_STACK_IMAGE)
  --namespace NAME        made anew and deleted at the end (default tickline-test)
  --rate N                data frames a second of each simulated exchange (default 100)
  --helm COMMAND          helm 3.17 or later (default: helm; environment: HELM)
  --keep                  leave the namespace and what is in it, also when a step fails
  --stack-only            start the test stack alone, leave it, and print the file with values for the chart
  --json                  a line of JSON with all figures and all missing trades at the end

On nodes that run containers: install in a namespace with pod security "restricted", helm test, ticks counted in Kafka, a
rollout under load, a deleted pod, a drained node, upgrade, rollback, uninstall; for each disruption the trades that went
missing are listed. On fake nodes (kwok): the same without what needs running pods, and the disruption budget.

How to build the images and bring them to a cluster: docs/image.md. Exit codes: 0 passed, 1 failed, 2 can't begin.
`;

const release = 'tickline';

/** What is missing to begin, and how to get it. */
class CannotBeginError extends Error {
  override name = 'CannotBeginError';
}

interface Options {
  readonly image: string | undefined;
  readonly stackImage: string | undefined;
  readonly namespace: string;
  readonly rate: number;
  readonly helm: string;
  readonly keep: boolean;
  readonly stackOnly: boolean;
  readonly json: boolean;
}

function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      image: { type: 'string' },
      'stack-image': { type: 'string' },
      namespace: { type: 'string', default: 'tickline-test' },
      rate: { type: 'string', default: '100' },
      helm: { type: 'string' },
      keep: { type: 'boolean', default: false },
      'stack-only': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return null;
  const rate = Number(values.rate);
  if (!(rate > 0)) throw new CannotBeginError(`--rate must be a number above 0, not ${values.rate}`);
  const { namespace, keep, json } = values;
  return {
    image: values.image ?? process.env.TICKLINE_CLUSTER_IMAGE,
    stackImage: values['stack-image'] ?? process.env.TICKLINE_CLUSTER_STACK_IMAGE,
    helm: values.helm ?? process.env.HELM ?? 'helm',
    stackOnly: values['stack-only'],
    ...{ namespace, rate, keep, json },
  };
}

/** The first line that a command writes, or why it can't be had. */
async function ask(command: string, args: readonly string[], what: string): Promise<string> {
  const failed = (reason: string): never => {
    throw new CannotBeginError(`${what}\n  ${command} ${args.join(' ')}: ${reason}`);
  };
  const end = await startCommand(command, args, { timeoutMs: 30_000 }).ended.catch((error: Error) =>
    failed(error.message),
  );
  return end.code === 0 ? end.stdout.trim() : failed(end.stderr.trim());
}

async function main(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (options === null) {
    process.stdout.write(help);
    return;
  }
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  await ask(
    'kubectl',
    ['version', '--client'],
    'kubectl is needed: install the one of your cluster’s version',
  );
  const helm = await ask(
    options.helm,
    ['version', '--short'],
    'helm 3.17 or later is needed: install it, or name it by HELM=… or --helm',
  );
  const version = await ask(
    'kubectl',
    ['version', '--output=json'],
    'no cluster answers: let the current kubeconfig context name one (for example: kind create cluster)',
  );
  const { serverVersion } = JSON.parse(version) as { serverVersion: { gitVersion: string } };

  const cluster = new Cluster(options.namespace, release, options.helm);
  const nodes = await cluster.nodes();
  const fake = nodes.every(({ metadata }) => metadata.annotations?.['kwok.x-k8s.io/node'] === 'fake');
  // Fake nodes pull nothing.
  const image = options.image ?? (fake ? 'tickline:none' : undefined);
  if (image === undefined || (options.stackImage === undefined && !(fake && !options.stackOnly))) {
    throw new CannotBeginError(
      'name the images that the nodes have: TICKLINE_CLUSTER_IMAGE=… (made by `make image`) and TICKLINE_CLUSTER_STACK_IMAGE=…; docs/image.md',
    );
  }
  tell(
    `helm ${helm}, Kubernetes ${serverVersion.gitVersion}, ${nodes.length} ${fake ? 'fake ' : ''}node(s), image ${image}`,
  );

  const folder = join(repositoryRoot, '.tickline/cluster');
  mkdirSync(folder, { recursive: true });
  const valuesFile = join(folder, `values-${options.namespace}.json`);
  writeFileSync(
    valuesFile,
    JSON.stringify(releaseValues(image, new StackAddresses(options.namespace)), null, 2),
  );
  const source = { chart: join(repositoryRoot, 'charts/tickline'), valuesFile };
  const steps = new Steps(tell);
  if (options.stackOnly) {
    await startStack(cluster, options.stackImage!, options.rate, steps);
    process.stdout.write(`${valuesFile}\n`);
    return;
  }
  let figures: object = {};
  try {
    if (fake) await testOnFakeNodes(cluster, source, steps);
    else
      figures = await new RealNodesTest(cluster, source, steps).run(
        { tickline: image, stack: options.stackImage! },
        options.rate,
      );
  } catch (error) {
    await explain(cluster, tell);
    throw error;
  } finally {
    if (!options.keep) await deleteNamespace(cluster);
  }
  if (cluster.warnings.length > 0) throw new Error(`the cluster warned:\n${cluster.warnings.join('\n')}`);
  steps.note('no warning of kubectl or helm: no deprecated API, nothing that "restricted" would refuse');
  if (options.json) {
    const about = { helm, kubernetes: serverVersion.gitVersion, nodes: nodes.length, fake, image };
    process.stdout.write(`${JSON.stringify({ ...about, steps: steps.done, ...figures })}\n`);
  }
}

/** What is known of a failure: pods, warnings among the events, the last lines of logs. */
async function explain(cluster: Cluster, tell: (line: string) => void): Promise<void> {
  const questions = [
    ['get', 'pods', '--output=wide'],
    ['get', 'events', '--field-selector=type=Warning', '--sort-by=.lastTimestamp'],
    ['logs', `--selector=${cluster.ingestors}`, '--all-containers', '--prefix', '--tail=10'],
    ['logs', '--selector=app.kubernetes.io/component=provision', '--tail=10'],
    ['logs', '--selector=app.kubernetes.io/component=test', '--tail=10'],
  ];
  for (const question of questions) {
    const end = await cluster.startKubectl(question, 30_000).ended;
    tell(`${end.stdout}${end.stderr}`.trim().split('\n').slice(-25).join('\n'));
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`test-cluster: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof CannotBeginError ? 2 : 1;
}
