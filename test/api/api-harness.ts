import { agents } from '../../agents/index.ts';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { createTaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';
import { createCheckedClient } from './checked-client.ts';
import { signedIn } from '../support/principals.ts';

/** The API on a free port, with the real adapters, a worker and a scripted model. */
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
    /** Waits until a task has this status. @returns the task */
    taskReaches: (id: string, status: string, headers: Record<string, string> = {}) =>
      until(`task ${id} is ${status}`, async () => (await api.http.get(`/v1/tasks/${id}`, headers)).body, {
        accept: (task) => task.status === status,
      }),
    async close() {
      await api.app.close();
      await harness.close();
    },
  };
}
export type ApiHarness = Awaited<ReturnType<typeof createApiHarness>>;

/** An `identify` that takes the user from the header `x-subject`. */
export const identifyBySubject: NonNullable<ApiDeps['identify']> = ({ 'x-subject': subject = 'local' }) =>
  signedIn(String(subject));

/** Starts another API on the same servers, as a second pod would be. @param deps replace those of the harness */
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
