/** Runs once after all test files. Does nothing when the setup failed: a failed setup stops its servers itself. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.stopTestServers?.();
}
