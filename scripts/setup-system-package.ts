import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { OnProgress } from './stack/install.ts';
import { runTool } from './stack/run-tool.ts';

/** Whether a command is on the PATH. */
export function hasCommand(name: string, path = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/**
 * Makes sure that a command is there, from a Debian package if it is not: installed by apt when we are root on
 * Debian or Ubuntu, else an error that names the command to run. `force` installs the package though the
 * command is there.
 */
export async function ensureCommand(
  command: string,
  debianPackage: string,
  onProgress: OnProgress,
  { force = false } = {},
): Promise<void> {
  if (!force && hasCommand(command)) return;
  if (process.getuid?.() !== 0 || !hasCommand('apt-get')) {
    throw new Error(
      `${command} is missing: on Debian and Ubuntu, sudo apt-get install --no-install-recommends ${debianPackage}; ` +
        `elsewhere install the package that has ${command}`,
    );
  }
  onProgress(`${command}: installing the Debian package ${debianPackage}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = [
    '-o',
    'DPkg::Lock::Timeout=120',
    'install',
    '-y',
    '--no-install-recommends',
    debianPackage,
  ];
  await runTool('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'update'], { env });
  await runTool('apt-get', install, { env });
}
