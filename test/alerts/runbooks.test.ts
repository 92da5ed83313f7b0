import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { namesIn } from './promql-names.ts';
import { checkRules } from './promtool.ts';
import { alertsOf, renderRules } from './rendered-rules.ts';

const folder = join(repositoryRoot, 'docs', 'runbooks');
const pages = new Map(
  readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const),
);
const alertPages = [...pages].filter(([file]) => file !== 'README.md');

/** The fenced blocks of a language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)\\n\`\`\`$`, 'gms'))].map(
    ([, block]) => block!,
  );
}

describe('the runbooks', () => {
  it.each(alertPages)('%s says what an alert means, what to look at, what to do', (file, text) => {
    expect(text).toMatch(new RegExp(`^# ${file.replace('.md', '')}\n`));
    expect([...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual([
      'What it means',
      'What is at stake',
      'How to look',
      'What to do',
      'When to ignore it',
    ]);
    expect(blocks(text, 'promql').length).toBeGreaterThan(0);
  });

  it('ask Prometheus only what it takes, of metrics that there are', async () => {
    const asked = alertPages.flatMap(([file, text]) =>
      blocks(text, 'promql').map((expr) => ({ file, expr })),
    );
    const rules = asked.map(({ expr }, index) => ({ record: `runbook:${index}`, expr }));
    const { passed, text } = await checkRules({ groups: [{ name: 'runbooks', rules }] });
    expect(passed, text).toBe(true);
    const documented = readFileSync(join(repositoryRoot, 'docs', 'metrics.md'), 'utf8');
    const known = new Set(['up', ...[...documented.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!)]);
    for (const { file, expr } of asked) {
      expect(expr, file).toContain('namespace="$NS",release="$REL"');
      for (const name of namesIn(expr).metrics) {
        expect(known, `${file}: ${name}`).toContain(
          name.replace(/_(bucket|sum|count)$/, (end) => (known.has(name) ? end : '')),
        );
      }
    }
  });

  it('call kubectl with the labels and containers that the chart has', () => {
    const shell = [...pages.values()].flatMap((text) => blocks(text, 'sh')).join('\n');
    expect(new Set([...shell.matchAll(/ -c (\w+)/g)].map(([, name]) => name))).toEqual(
      new Set(['ingestor', 'sidecar']),
    );
    for (const [, file] of shell.matchAll(/node (services\S+)/g))
      expect(file).toBe('services/ingestor/main.js');
    expect(shell).toContain(
      '-l app.kubernetes.io/instance=$REL,app.kubernetes.io/component=ingestor -L tickline.io/shard',
    );
  });

  it('link to pages that there are', () => {
    for (const [file, text] of pages) {
      for (const [, target] of text.matchAll(/\]\(([^)#]+)\)/g)) {
        expect(existsSync(join(folder, target!)), `${file}: ${target}`).toBe(true);
      }
    }
  });

  it('are listed with the severities and times that the chart has', async () => {
    const rules = alertsOf(await renderRules());
    const rows = [...new Set(rules.map(({ alert }) => alert))].map((alert) => {
      const own = rules.filter((rule) => rule.alert === alert);
      const severities = own.map(({ labels }) => labels.severity).join(', ');
      return `| [${alert}](${alert}.md) | ${severities} | ${own[0]!.for} |`;
    });
    const listed = pages
      .get('README.md')!
      .split('\n')
      .filter((line) => line.startsWith('| [Tickline'));
    expect(listed).toEqual(rows);
  });
});
