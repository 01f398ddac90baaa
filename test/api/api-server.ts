import { createAdapters } from '../../activities/adapters/index.ts';
import { agents } from '../../agents/index.ts';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import type { TestEnvironment } from '../support/environment.ts';

/** The API of a test environment, listening on a free port. */
export async function startTestApi(env: TestEnvironment, overrides: Partial<ApiDeps> = {}) {
  const adapters = createAdapters(env);
  const metrics = createMetrics();
  const readiness = createReadiness({ postgres: async () => void (await env.postgres.pool.query('select 1')) });
  readiness.serving();
  const deps = { ...env, ...adapters, agents, metrics, readMetrics: () => metrics.registry.metrics(), readiness };
  const app = await createApi({ ...deps, ...overrides } as ApiDeps);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    url,
    adapters,
    metrics,
    readiness,
    async stop() {
      await app.close();
      await adapters.close();
    },
  };
}
