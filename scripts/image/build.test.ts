import { describe, expect, it } from 'vitest';
import { buildCommand, chooseEngine } from './build.ts';

const request = { tag: 'tickline:1.2.3', base: null, version: '1.2.3', revision: null };

describe('building the image', () => {
  it('is a command of the engine', () => {
    expect(buildCommand('docker', request).join(' ')).toBe(
      'docker build --build-arg VERSION=1.2.3 --tag tickline:1.2.3 .',
    );
    expect(
      buildCommand('buildah', { ...request, base: 'localhost/node:24', revision: 'abc' }).join(' '),
    ).toBe(
      'buildah bud --build-arg BASE_IMAGE=localhost/node:24 --build-arg VERSION=1.2.3 --build-arg REVISION=abc --tag tickline:1.2.3 .',
    );
  });

  it('takes the first engine that works, or the one that was asked for', () => {
    expect(chooseEngine(undefined, (name) => name !== 'docker')).toBe('podman');
    expect(chooseEngine('buildah', () => true)).toBe('buildah');
  });

  it('says what to install', () => {
    expect(() => chooseEngine(undefined, () => false)).toThrow(
      'none of docker, podman, buildah works here: install a container engine',
    );
    expect(() => chooseEngine('podman', (name) => name === 'docker')).toThrow('podman does not work here');
  });
});
