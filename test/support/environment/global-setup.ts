import { startServers } from './servers.ts';
import { announceTestServers } from './test-servers.ts';

declare global {
  var stopTestServers: (() => Promise<void>) | undefined;
}

/** Runs once before all test files, in Jest's own process. */
export default async function globalSetup(): Promise<void> {
  const { servers, stop } = await startServers();
  globalThis.stopTestServers = stop;
  announceTestServers(servers);
  // Jest skips the global teardown when it is interrupted, and the terminal's Ctrl-C does not reach the servers.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  }
}
