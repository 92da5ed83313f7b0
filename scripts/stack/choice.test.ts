import { describe, expect, it } from 'vitest';
import { chooseStack, type MachineTools } from './choice.ts';
import { parseJavaVersion } from './java.ts';

const nothing: MachineTools = { java: undefined, maven: false, jarsInstalled: false, docker: () => false };
const jars: MachineTools = { ...nothing, java: 17, maven: true };
const docker: MachineTools = { ...nothing, docker: () => true };

describe('how the stack runs', () => {
  it('is jars where Java 17 and Maven are there, without asking Docker', () => {
    const tools: MachineTools = {
      ...jars,
      docker: () => {
        throw new Error('asked');
      },
    };
    expect(chooseStack(undefined, tools)).toBe('jars');
    expect(chooseStack('', tools)).toBe('jars');
  });

  it('is jars without Maven once the jars are in place', () => {
    expect(chooseStack(undefined, { ...jars, maven: false, jarsInstalled: true })).toBe('jars');
  });

  it('is docker where Java is too old or missing and an engine answers', () => {
    expect(chooseStack(undefined, { ...docker, java: 11, maven: true })).toBe('docker');
    expect(chooseStack(undefined, docker)).toBe('docker');
    expect(chooseStack(undefined, { ...docker, java: 21 })).toBe('docker');
  });

  it('is what STACK says', () => {
    expect(chooseStack('docker', { ...jars, docker: () => true })).toBe('docker');
    expect(chooseStack('jars', { ...jars, docker: () => true })).toBe('jars');
  });

  it('is refused with both ways named when none is possible', () => {
    expect(() => chooseStack(undefined, { ...nothing, java: 11 })).toThrow(
      /STACK=jars needs Java 17 or later and Maven \(java is version 11, no mvn was found\).*STACK=docker/,
    );
  });

  it('is refused when STACK asks for what is not there, or for something unknown', () => {
    expect(() => chooseStack('jars', docker)).toThrow(
      'STACK=jars needs Java 17 or later and Maven: no java was found',
    );
    expect(() => chooseStack('docker', jars)).toThrow('STACK=docker needs an engine');
    expect(() => chooseStack('podman', jars)).toThrow(
      'STACK=podman is not known: use STACK=jars or STACK=docker',
    );
  });
});

describe('the version of Java', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['', undefined],
  ])('%s', (text, version) => {
    expect(parseJavaVersion(text)).toBe(version);
  });
});
