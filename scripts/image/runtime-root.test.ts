import { describe, expect, it } from 'vitest';
import { librariesIn } from './runtime-root.ts';

describe("what the loader tells of a program's libraries", () => {
  it('is read: paths, the loader itself, what is missing', () => {
    const text = [
      '\tlinux-vdso.so.1 (0x00007ff7afbb9000)',
      '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007ff7afb16000)',
      '\tlibrt.so.1 => not found',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007ff7afbbb000)',
      '',
    ].join('\n');
    expect(librariesIn(text)).toEqual({
      paths: ['/lib/x86_64-linux-gnu/libm.so.6', '/lib64/ld-linux-x86-64.so.2'],
      missing: ['librt.so.1'],
    });
  });
});
