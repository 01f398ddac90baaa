/** Runs once after all test files; does nothing when the setup failed, which cleans up after itself. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.stopTestServers?.();
}
