import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The `java` to run: `$JAVA_HOME/bin/java` if there is one, else the one on the PATH. */
export function javaCommand(): string {
  const home = process.env.JAVA_HOME;
  const inHome = home === undefined ? undefined : join(home, 'bin/java');
  return inHome !== undefined && existsSync(inHome) ? inHome : 'java';
}

/** The major version in what `java -version` prints: 17 from `openjdk version "17.0.15"`, 8 from `"1.8.0_392"`. */
export function parseJavaVersion(text: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
