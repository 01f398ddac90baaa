import type { Config } from '../../../runtime/config.ts';
import { createAdapters } from '../../../wiring/adapters.ts';
import { createTestEnvironment } from './environment.ts';

export type AdapterEnvironment = Awaited<ReturnType<typeof createAdapterEnvironment>>;

/** A test environment with the product's adapters. `close` closes both. @param overrides configuration variables */
export async function createAdapterEnvironment(overrides: { [Name in keyof Config]?: string } = {}) {
  const env = await createTestEnvironment(overrides);
  const adapters = createAdapters(env);
  return {
    ...env,
    adapters,
    async close() {
      await adapters.close();
      await env.close();
    },
  };
}
