import { agents } from '../../agents/index.ts';
import { createRequestLimits } from '../../adapters/limits/request-limits.ts';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import type { Config } from '../../runtime/config.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { identifyBySubject, type ApiHarness } from './api-harness.ts';

/** Opens another process of the API, with these settings. Headers name the sender, and answers are checked as usual. */
export async function openDoor(api: ApiHarness, settings: Partial<Config> = {}, deps: Partial<ApiDeps> = {}) {
  const config = { ...api.config, ...settings };
  const limits = createRequestLimits({ config, db: api.postgres.db, log: api.log });
  const readMetrics = async () => '';
  const readiness = createReadiness({});
  readiness.markServing();
  const app = await createApi({
    ...api,
    agents,
    readMetrics,
    readiness,
    config,
    limits,
    identify: identifyBySubject,
    ...deps,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const request = async (path: string, init: RequestInit = {}) => {
    const { status, headers, text } = await fetch(url + path, init).then(async (response) => ({
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    }));
    return api.http.check({ method: init.method ?? 'GET', path, status, headers, text });
  };
  const get = (path: string, headers: Record<string, string> = {}) => request(path, { headers });
  const post = (path: string, headers: Record<string, string>) =>
    request(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' });
  return { app, url, http: { get, post } };
}
export type Door = Awaited<ReturnType<typeof openDoor>>;
