import { agents } from '../../agents/index.ts';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { createTaskHarness } from '../support/task-harness.ts';
import { createCheckedClient } from './checked-client.ts';

/** The API over the house's real adapters, its worker and a scripted model, listening on a free port. */
export async function createApiHarness(
  overrides: Parameters<typeof createTaskHarness>[0] = {},
  deps: Partial<ApiDeps> = {},
  registry: Parameters<typeof createTaskHarness>[1] = {},
) {
  const house = await createTaskHarness(overrides, registry);
  const api = await serve(house, deps);
  return {
    ...house,
    ...api,
    async close() {
      await api.app.close();
      await house.close();
    },
  };
}
export type ApiHarness = Awaited<ReturnType<typeof createApiHarness>>;

/** One more API on the same house, as a second pod would be. */
export async function serve(house: Awaited<ReturnType<typeof createTaskHarness>>, deps: Partial<ApiDeps> = {}) {
  const readiness = createReadiness({ postgres: async () => void (await house.postgres.pool.query('select 1')) });
  readiness.markServing();
  const app = await createApi({
    ...house,
    agents,
    readiness,
    readMetrics: () => house.metrics.registry.metrics(),
    ...deps,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, url, readiness, http: await createCheckedClient(url) };
}
