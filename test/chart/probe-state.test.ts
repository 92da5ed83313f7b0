import { describe, expect, it } from 'vitest';
import type { Container } from './kubernetes-objects.ts';
import { ProbeState, paceOf } from './probe-state.ts';

const container: Container = {
  name: 'app',
  image: 'app',
  startupProbe: { httpGet: { port: 80 }, failureThreshold: 2 },
  livenessProbe: { httpGet: { port: 80 } },
  readinessProbe: { httpGet: { port: 80 }, failureThreshold: 2, successThreshold: 2 },
};

describe('the probes of a container', () => {
  it('are the startup probe alone until it passes, then the others', () => {
    const state = new ProbeState(container);
    expect(state).toMatchObject({ started: false, ready: false, asked: ['startupProbe'] });
    expect(state.answered('startupProbe', true)).toBeUndefined();
    expect(state).toMatchObject({ started: true, ready: false, asked: ['livenessProbe', 'readinessProbe'] });
  });

  it('make ready and unready after as many answers in a row as the thresholds say', () => {
    const state = new ProbeState(container);
    state.answered('startupProbe', true);
    const readyAfter = [true, false, true, true, false, true, false, false, true].map((ok) => {
      expect(state.answered('readinessProbe', ok)).toBeUndefined();
      return state.ready;
    });
    expect(readyAfter).toEqual([false, false, false, true, true, true, true, false, false]);
  });

  it('kill by startup and liveness, after failureThreshold failures in a row', () => {
    const slow = new ProbeState(container);
    expect([false, false].map((ok) => slow.answered('startupProbe', ok))).toEqual([undefined, 'kill']);
    const hung = new ProbeState(container);
    hung.answered('startupProbe', true);
    expect([false, false, true, false, false, false].map((ok) => hung.answered('livenessProbe', ok))).toEqual(
      [undefined, undefined, undefined, undefined, undefined, 'kill'],
    );
  });

  it('may be absent: then a container is started and ready at once', () => {
    const state = new ProbeState({ name: 'app', image: 'app' });
    expect(state).toMatchObject({ started: true, ready: true, asked: [] });
  });

  it('do not count before their time', () => {
    const state = new ProbeState(container);
    expect([1, 2, 3].map(() => state.answered('livenessProbe', false))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('have the pace that Kubernetes gives them where they say none', () => {
    expect(paceOf({})).toEqual({ periodMs: 10_000, timeoutMs: 1_000 });
    expect(paceOf({ periodSeconds: 2, timeoutSeconds: 3 })).toEqual({ periodMs: 2_000, timeoutMs: 3_000 });
  });
});
