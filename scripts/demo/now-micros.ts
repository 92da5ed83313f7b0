/**
 * Now in microseconds since 1970 on the machine's clock, finer than `Date.now()`; the simulators take their
 * write times the same way.
 */
export function nowMicros(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}
