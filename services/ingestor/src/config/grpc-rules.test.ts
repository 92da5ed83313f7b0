import { describe, expect, it } from 'vitest';
import { exchangeDefaults } from './exchange-defaults.ts';
import { checkGrpc } from './grpc-rules.ts';
import { flatKeys } from './key.ts';
import { configurationKeys } from './keys.ts';

type Grpc = Parameters<typeof checkGrpc>[0];

/** The defaults, switched on. */
function grpcWith(overrides: Partial<Grpc>): Grpc {
  const { grpc } = configurationKeys(exchangeDefaults);
  const { tls, ...rest } = grpc;
  const defaults = (keys: object) =>
    Object.fromEntries([...flatKeys(keys as typeof tls)].map(([name, { fallback }]) => [name, fallback]));
  return { ...defaults(rest), tls: defaults(tls), enabled: true, ...overrides } as unknown as Grpc;
}

function problemsOf(overrides: Partial<Grpc>, plaintextHosts: string[] = []): string[] {
  const problems: string[] = [];
  checkGrpc(grpcWith(overrides), 2, plaintextHosts, (key, problem) => problems.push(`${key} ${problem}`));
  return problems;
}

const noFiles = { certFile: null, keyFile: null, clientCaFile: null };

describe('the rules of grpc', () => {
  it('find nothing wrong with the defaults, and ask nothing of what is off', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ enabled: false, clientQueueBytes: 2 ** 40 })).toEqual([]);
  });

  it.each<[Partial<Grpc>, RegExp]>([
    [{ tls: { enabled: true, ...noFiles, certFile: 'c' } }, /^grpc\.tls\.keyFile is not set/],
    [{ tls: { enabled: false, ...noFiles, clientCaFile: 'c' } }, /^grpc\.tls\.clientCaFile is set, but/],
    [{ host: '0.0.0.0', tokenFile: 't' }, /^grpc\.tokenFile tokens would come to 0\.0\.0\.0 unencrypted/],
    [{ queueBytes: 1000, clientQueueBytes: 1001 }, /^grpc\.clientQueueBytes must not be above/],
    [{ peerAddress: 'a:1' }, /^grpc\.peerAddress names 1 of 2 shards/],
  ])('%j', (overrides, words) => {
    const problems = problemsOf(overrides);
    expect(problems.length).toBe(1);
    expect(problems[0]).toMatch(words);
  });

  it.each<[Partial<Grpc>]>([
    [{ host: '127.0.0.1', tokenFile: 't' }],
    [{ host: '10.0.0.1', tokenFile: 't' }],
    [{ peerAddress: 'a:1,b:2' }],
    [{ peerAddress: 'tickline-{shard}:9090' }],
  ])('%j is right', (overrides) => {
    expect(problemsOf(overrides, ['10.0.0.1'])).toEqual([]);
  });
});
