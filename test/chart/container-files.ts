import { basename, dirname, join } from 'node:path';
import type { Container, KubernetesObject, PodSpec } from './kubernetes-objects.ts';
import { type MountedFile, mountedFiles } from './mounted-files.ts';
import { writeVolumes } from './volume-files.ts';

/** The files of a container in a folder that stands for its root. */
export interface ContainerFiles {
  /** A text of the container (variable, argument, file) with the folder before every path that is mounted. */
  inRoot(text: string): string;
}

/**
 * Writes what a container's volumes hold below `root`. Paths in files of ConfigMaps are changed as `inRoot` does:
 * `/etc/tickline/secrets/kafka-ca` → `ROOT/etc/tickline/secrets/kafka-ca`.
 * @param secretOf the content of a Secret's key that is no part of the chart
 */
export function writeContainerFiles(
  spec: PodSpec,
  container: Container,
  objects: readonly KubernetesObject[],
  root: string,
  secretOf: (file: MountedFile) => string,
): ContainerFiles {
  const files = [
    ...mountedFiles(spec, container, objects),
    ...foreignFiles(spec, container, objects.map((object) => JSON.stringify(object)).join('\n')),
  ];
  const mounts = new Set(files.map(({ mount, path }) => (mount === path ? dirname(mount) : mount)));
  // At once, so that no path is changed twice; the longest first, because one may lie below another.
  const paths = [...mounts].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(paths.map((path) => escaped(path)).join('|'), 'g');
  const inRoot = (text: string): string =>
    paths.length === 0 ? text : text.replace(pattern, (path) => join(root, path));
  writeVolumes(files, root, (file) => (file.text === null ? secretOf(file) : inRoot(file.text)));
  return { inRoot };
}

/** Files of volumes that a driver fills (CSI): those that are mentioned somewhere. */
function foreignFiles(spec: PodSpec, { volumeMounts = [] }: Container, text: string): MountedFile[] {
  return volumeMounts.flatMap(({ name, mountPath }): MountedFile[] => {
    if (spec.volumes?.find((volume) => volume.name === name)?.csi === undefined) return [];
    const mentions = text.match(new RegExp(`${escaped(mountPath)}/[\\w.-]+`, 'g')) ?? [];
    return [...new Set(mentions)].map((path) => ({
      path,
      mount: mountPath,
      kind: 'Secret',
      object: name,
      key: basename(path),
      text: null,
    }));
  });
}

/** A text as a regular expression that means just it. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
