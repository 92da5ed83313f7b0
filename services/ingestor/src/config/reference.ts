import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DescribedKey, describeKeys } from './help.ts';

/** Where the reference is kept. */
export const REFERENCE_FILE: string = fileURLToPath(
  new URL('../../../../docs/configuration.md', import.meta.url),
);

const INTRODUCTION = `# Configuration

<!-- Written by: node services/ingestor/src/config/reference.ts. Change config/keys.ts instead. -->

Settings of the ingestor come from three places; the later wins:

1. YAML files: \`--config FILE\`, repeatable, later ones win; a folder stands for its \`*.yaml\` in alphabetical order. Without \`--config\`, the files and folders in \`TICKLINE_CONFIG\`, with colons between. Mappings of several files are joined, lists replaced, and \`null\` takes back what an earlier file said (an exchange set to \`null\` is left out). Paths in a file are relative to its folder.
2. The environment: \`TICKLINE_\` and the key in capitals. Lists are separated by commas, or JSON.
3. The command line: \`--key=value\`.

A wrong configuration refuses to start and names everything that is wrong: the key, who set it, and the nearest valid value. Times are milliseconds or have a unit (\`30s\`, \`5m\`, \`24h\`, \`7d\`); sizes are bytes or have one (\`512KiB\`, \`64MiB\`, \`8GiB\`).

Passwords come from files or the environment, never from the command line, and are shown nowhere. An unencrypted address (\`http://\`, \`ws://\`) is refused unless it is this machine's own or its host is in \`plaintextHosts\`.

\`tickline-ingestor check --config FILE\` says whether a configuration is valid. Examples are in [examples/config](../examples/config).
`;

/** The reference of all keys, as Markdown. */
export function configurationReference(): string {
  const sections = new Map<string, DescribedKey[]>();
  for (const key of describeKeys()) {
    const section = key.path.includes('.') ? key.path.split('.')[0]! : 'general';
    sections.set(section, [...(sections.get(section) ?? []), key]);
  }
  const parts = [...sections].map(([section, keys]) => `## ${section}\n\n${keys.map(entry).join('\n')}`);
  return `${INTRODUCTION}\n${parts.join('\n')}`;
}

function entry({ path, type, fallback, environment, flag, doc }: DescribedKey): string {
  const set =
    flag === null ? `\`${environment}\`, not on the command line` : `\`${environment}\`, \`${flag}\``;
  return [
    `### \`${path}\``,
    '',
    `${doc}`,
    '',
    `- ${type}`,
    fallback === 'required' ? '- **required**' : `- default: ${fallback}`,
    `- ${set}`,
    '',
  ].join('\n');
}

const isMain =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) writeFileSync(REFERENCE_FILE, configurationReference());
