/** Blocks its thread, as native code does, until the test wakes it; then counts itself. */
export function work({ shared }: { shared: SharedArrayBuffer }): number {
  const [started, released, finished] = [0, 1, 2];
  const state = new Int32Array(shared);
  Atomics.add(state, started, 1);
  Atomics.wait(state, released, 0);
  return Atomics.add(state, finished, 1) + 1;
}
