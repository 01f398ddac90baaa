import { agents } from '../../agents/index.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { createApi } from '../app.ts';
import type { ApiDeps } from '../deps.ts';

export type OpenApiDocument = {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, { description: string }> }>>;
  components: { schemas: Record<string, Record<string, unknown>> };
};

/** The OpenAPI document of this version, as `/openapi.json` gives it. Needs no server. */
export async function openApiDocument(): Promise<OpenApiDocument> {
  const config = loadConfig({ DATABASE_URL: 'postgres://127.0.0.1/unused', ALFRED_LOG_LEVEL: 'silent' });
  // No request is served, so no port is called.
  const deps = {
    config,
    agents,
    log: createLogger(config, 'api'),
    metrics: createMetrics(),
    readiness: createReadiness({}),
  } as unknown as ApiDeps;
  const app = await createApi(deps);
  const document = app.swagger();
  await app.close();
  return document as unknown as OpenApiDocument;
}
