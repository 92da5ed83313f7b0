/**
 * Says how the installed packages differ from the lock file, or '' when they do not.
 *
 * npm writes `node_modules/.package-lock.json` at the end of every installation: the lock file's entries that
 * it installed. One that is in the lock only may be missing when it is optional (other platforms' binaries).
 *
 * @param {{ packages: Record<string, { version?: string, integrity?: string, optional?: boolean, link?: boolean }> } | undefined} lock
 * @param {{ packages: Record<string, { version?: string, integrity?: string }> } | undefined} installed
 * @returns {string}
 */
export function installedDiffers(lock, installed) {
  if (lock === undefined) return 'package-lock.json can not be read';
  if (installed === undefined) return 'nothing is installed';
  for (const [path, wanted] of Object.entries(lock.packages)) {
    // The root and the workspaces themselves are in place by being checked out; their links must be there.
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) continue;
    const found = installed.packages[path];
    if (found === undefined) {
      if (wanted.optional !== true) return `${path} is missing`;
    } else if (
      wanted.link !== true &&
      (found.version !== wanted.version || found.integrity !== wanted.integrity)
    ) {
      return `${path} is ${found.version}, not ${wanted.version}`;
    }
  }
  for (const path of Object.keys(installed.packages)) {
    if (path.includes('node_modules/') && !(path in lock.packages))
      return `${path} is not in package-lock.json`;
  }
  return '';
}
