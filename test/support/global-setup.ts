import { startServers } from './servers.ts';
import { announce } from './test-servers.ts';

declare global {
  var stopTestServers: (() => Promise<void>) | undefined;
}

/** Runs once before all test files, in Jest's own process. */
export default async function globalSetup(): Promise<void> {
  const { servers, stop } = await startServers();
  globalThis.stopTestServers = stop;
  announce(servers);
}
