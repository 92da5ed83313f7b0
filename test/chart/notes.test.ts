import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { chartFolder, helmTemplate, NAMESPACE, RELEASE } from './helm.ts';
import { nameOf, ofKind, podsMade, readObjects } from './kubernetes-objects.ts';
import { ciFile, ciNames, renderCi } from './rendered.ts';

let folder: string;

/** `helm template` leaves the notes out, and `helm install` wants a cluster: a copy of the chart has them in an object. */
beforeAll(() => {
  mkdirSync(ticklineFolder, { recursive: true });
  folder = mkdtempSync(join(ticklineFolder, 'chart-notes-'));
  cpSync(chartFolder, folder, { recursive: true });
  const templates = join(folder, 'templates');
  const notes = readFileSync(join(templates, 'NOTES.txt'), 'utf8');
  rmSync(join(templates, 'NOTES.txt'));
  writeFileSync(join(templates, '_notes.tpl'), `{{- define "notes" -}}\n${notes}\n{{- end -}}\n`);
  const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: notes }\n';
  writeFileSync(join(templates, 'notes.yaml'), `${object}data: { text: {{ include "notes" . | toJson }} }\n`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function notesOf(name: string, set: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const answer = await helmTemplate({ chart: folder, valuesFiles: [ciFile(name)], set });
  expect(answer).toMatchObject({ code: 0 });
  const found = ofKind(readObjects(answer.stdout), 'ConfigMap').find(
    ({ metadata }) => metadata.name === 'notes',
  );
  return found!.data!.text!;
}

describe.concurrent.each(ciNames)('the notes with ci/%s-values.yaml', (name) => {
  it('name objects that there are, each with its namespace, and every shard', async () => {
    const text = await notesOf(name, { 'provision.enabled': false });
    const { objects } = await renderCi(name);
    const known = [
      ...objects.map((object) => nameOf(object).toLowerCase()),
      ...podsMade(objects).map(({ labels }) => labels['statefulset.kubernetes.io/pod-name']),
    ];
    const commands = text.split('\n').filter((line) => /^ {2}(kubectl|helm) /.test(line));
    expect(commands.length).toBeGreaterThanOrEqual(4);
    for (const command of commands) {
      expect(command).toMatch(new RegExp(`^ {2}(kubectl|helm) -n ${NAMESPACE} `));
      const object = /(?:exec|logs|status|port-forward) (\S+)/.exec(command)?.[1];
      if (object === undefined) expect(command).toMatch(new RegExp(` test ${RELEASE}$`));
      else if (object === 'deployment') expect(command).toContain(`instance=${RELEASE},`);
      else expect(known).toContain(object);
    }
    const shards = podsMade(objects).filter(
      ({ labels }) => labels['app.kubernetes.io/component'] === 'ingestor',
    );
    for (const index of shards.keys())
      expect(text).toMatch(new RegExp(`^ {2}${index} {2}\\S+-shard-${index}: .`, 'm'));
    expect(text).not.toMatch(/<no value>|%!|map\[/);
  });
});

describe('the notes', () => {
  it('say what is missing when alerts are there and nothing scrapes', async () => {
    const hint = 'no monitor of the chart attaches them';
    const alerts = { 'monitoring.prometheusRule.enabled': true };
    expect(await notesOf('minimal', alerts)).toContain(hint);
    expect(await notesOf('minimal', { ...alerts, 'monitoring.podMonitor.enabled': true })).not.toContain(
      hint,
    );
    expect(await notesOf('minimal')).not.toContain(hint);
  });

  it('tell the two steps of a change of shards, and who owns what meanwhile', async () => {
    const text = await notesOf('resharding');
    expect(text).toContain('Shards: 2 (before: 4)');
    expect(text).toContain('upgrade once more without shards.previousCount');
    expect(text).toMatch(/^ {2}3 {2}.*: what it owned before, until shards.previousCount is removed$/m);
  });
});
