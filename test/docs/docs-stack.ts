import { agents } from '../../agents/index.ts';
import { createApi } from '../../api/app.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ModelProvider } from '../../contract/ports/index.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { createAdapters } from '../../wiring/adapters.ts';
import { startWorkers } from '../../workers/compose.ts';
import { createTestEnvironment } from '../support/environment/environment.ts';

const webhookSecret = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';

/** What `npm start` runs, for the commands of the pages: all queues, the API, and no model. */
export async function startDocsStack() {
  const env = await createTestEnvironment({
    ALFRED_MODEL: 'offline:quote',
    ALFRED_EMBEDDINGS: 'none',
    ALFRED_WEBHOOK_SECRET: webhookSecret,
    ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32',
    SOCIAL_CACHE_S: '0',
    ALFRED_SHUTDOWN_GRACE_S: '0',
  });
  const metrics = createMetrics();
  const adapters = createAdapters({ ...env, metrics });
  const offline = adapters.providers.offline as ModelProvider;
  const providers = { ...adapters.providers, offline: { ...offline, stream: refuseOnRequest(offline) } };
  const workers = await startWorkers({ ...env, metrics }, { ...adapters, providers });
  const readiness = createReadiness({});
  readiness.markServing();
  const readMetrics = () => metrics.registry.metrics();
  const app = await createApi({ ...env, ...adapters, metrics, agents, readiness, readMetrics });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    postgres: env.postgres,
    /** For commands that use the database and the index by themselves. */
    environment: {
      DATABASE_URL: env.config.DATABASE_URL,
      TEMPORAL_ADDRESS: env.config.TEMPORAL_ADDRESS,
      TEMPORAL_NAMESPACE: env.config.TEMPORAL_NAMESPACE,
      ALFRED_DATA_DIR: env.config.ALFRED_DATA_DIR,
      ALFRED_EMBEDDINGS: 'none',
    },
    async close() {
      await app.close();
      await workers.stop();
      await adapters.close();
      await env.close();
    },
  };
}
export type DocsStack = Awaited<ReturnType<typeof startDocsStack>>;

/** A question that makes the model refuse, for the page that explains a failed task. */
export const refusedQuestion = 'Which colleague earns most?';

const refuseOnRequest = (provider: ModelProvider): ModelProvider['stream'] =>
  async function* (request, signal) {
    if (JSON.stringify(request).includes(refusedQuestion))
      throw new AlfredError('model_refused', 'The model declined to answer.');
    yield* provider.stream(request, signal);
  };
