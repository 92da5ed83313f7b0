import {
  type Container,
  type KubernetesObject,
  ofKind,
  type PodSpec,
  type Volume,
} from './kubernetes-objects.ts';

/** A file that a container finds in its file system. */
export interface MountedFile {
  /** Absolute, as the container sees it. */
  readonly path: string;
  /** The folder that is mounted, or the path itself where one file is. */
  readonly mount: string;
  /** Which object's which key it is. */
  readonly kind: 'ConfigMap' | 'Secret';
  readonly object: string;
  readonly key: string;
  /** What is in it, where the object is one of the chart's own; null for an existing Secret or ConfigMap. */
  readonly text: string | null;
}

/**
 * The files that a container finds at start by its volumes of ConfigMaps and Secrets.
 * @throws Error when a mount names no volume, or a volume's keys can't be known from the chart alone
 */
export function mountedFiles(
  spec: PodSpec,
  container: Container,
  objects: readonly KubernetesObject[],
): MountedFile[] {
  return (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath }) => {
    const volume = spec.volumes?.find((each) => each.name === name);
    if (volume === undefined)
      throw new Error(`container ${container.name} mounts ${name}, which is no volume`);
    const files = filesOf(volume, objects);
    if (subPath === undefined) {
      return files.map(({ at, ...file }) => ({ path: `${mountPath}/${at}`, mount: mountPath, ...file }));
    }
    return files
      .filter(({ at }) => at === subPath)
      .map(({ at: _, ...file }) => ({ path: mountPath, mount: mountPath, ...file }));
  });
}

type FileOfVolume = Omit<MountedFile, 'path' | 'mount'> & { readonly at: string };

interface Source {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly object: string;
  readonly items: readonly { readonly key: string; readonly path: string }[] | undefined;
}

function filesOf(volume: Volume, objects: readonly KubernetesObject[]): FileOfVolume[] {
  return sourcesOf(volume).flatMap(({ kind, object, items }) => {
    const data = ofKind(objects, kind).find(({ metadata }) => metadata.name === object)?.data;
    const wanted = items ?? Object.keys(data ?? {}).map((key) => ({ key, path: key }));
    if (items === undefined && data === undefined) {
      throw new Error(
        `volume ${volume.name} is all of the existing ${kind} ${object}: its keys are not known here`,
      );
    }
    return wanted.map(({ key, path }) => {
      if (data !== undefined && data[key] === undefined) {
        throw new Error(`volume ${volume.name} wants ${key} of ${kind} ${object}, which has no such key`);
      }
      return { kind, object, key, at: path, text: data?.[key] ?? null };
    });
  });
}

function sourcesOf(volume: Volume): Source[] {
  const single: Source[] = [];
  const { configMap, secret, projected } = volume;
  if (configMap !== undefined) {
    single.push({ kind: 'ConfigMap', object: configMap.name, items: configMap.items });
  }
  if (secret !== undefined) single.push({ kind: 'Secret', object: secret.secretName, items: secret.items });
  const joined = (projected?.sources ?? []).flatMap((source): Source[] => [
    ...(source.configMap === undefined
      ? []
      : [{ kind: 'ConfigMap' as const, object: source.configMap.name, items: source.configMap.items }]),
    ...(source.secret === undefined
      ? []
      : [{ kind: 'Secret' as const, object: source.secret.name, items: source.secret.items }]),
  ]);
  return [...single, ...joined];
}
