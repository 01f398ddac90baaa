import { agents } from '../../agents/index.ts';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { createTaskHarness } from '../support/tasks/task-harness.ts';
import { createCheckedClient } from './checked-client.ts';

/** The API over the house's real adapters, its worker and a scripted model, listening on a free port. */
export async function createApiHarness(
  overrides: Parameters<typeof createTaskHarness>[0] = {},
  deps: Partial<ApiDeps> = {},
  registry: Parameters<typeof createTaskHarness>[1] = {},
) {
  const harness = await createTaskHarness(overrides, registry);
  const api = await startApi(harness, deps);
  return {
    ...harness,
    ...api,
    async close() {
      await api.app.close();
      await harness.close();
    },
  };
}
export type ApiHarness = Awaited<ReturnType<typeof createApiHarness>>;

/** One more API on the same house, as a second pod would be. */
export async function startApi(harness: Awaited<ReturnType<typeof createTaskHarness>>, deps: Partial<ApiDeps> = {}) {
  const readiness = createReadiness({ postgres: async () => void (await harness.postgres.pool.query('select 1')) });
  readiness.markServing();
  const app = await createApi({
    ...harness,
    agents,
    readiness,
    readMetrics: () => harness.metrics.registry.metrics(),
    ...deps,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, url, readiness, http: await createCheckedClient(url) };
}
