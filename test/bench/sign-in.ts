import { agents } from '../../agents/index.ts';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createRequestLimits } from '../../adapters/limits/request-limits.ts';
import { createSignIn } from '../../adapters/identity/sign-in.ts';
import { createApiKeys } from '../../adapters/postgres/identity/api-keys.ts';
import { createSubjects } from '../../adapters/postgres/identity/subjects.ts';
import { createTenants } from '../../adapters/postgres/tenants/tenants.ts';
import { percentile } from '../../cli/eval/measures.ts';
import { newApiKeyId, newApiKeySecret } from '../../runtime/api-key-text.ts';
import { loadConfig } from '../../runtime/config.ts';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { issuersOf } from '../../runtime/identity-settings.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { audience, startOidcServer } from '../support/identity/oidc-server.ts';
import { person } from '../support/principals.ts';
import { startDatabase, type Surroundings } from './servers.ts';

const rounds = 10;

type Call = { name: string; url: string; headers: Record<string, string> };

/**
 * Measures what sign-in, policy, limits and the check of the tenant add to a request, over HTTP and one request after
 * the other: against the same API without any of them. A start is refused for its body, so that only the way there is
 * measured. What is written to the audit log is left out: it is written after the answer.
 */
export async function measureSignIn({ count, ...surroundings }: { count: number } & Surroundings) {
  const { log, cleanups } = surroundings;
  const server = await startDatabase(surroundings);
  const oidc = await startOidcServer({ ada: { roles: ['clerk'], groups: ['staff'] } });
  cleanups.push(() => oidc.close());
  const config = loadConfig({
    DATABASE_URL: server.url,
    OIDC_ISSUER: oidc.issuer,
    OIDC_AUDIENCE: audience,
    OIDC_TENANT: 'bench',
    ALFRED_LIMIT_ADDRESS: '100000000',
    ALFRED_LIMIT_SUBJECT: '100000000',
    ALFRED_LIMIT_TENANT: '100000000',
    ALFRED_LIMIT_STARTS: '100000',
  });
  const postgres = openPostgres(config, log);
  const { db } = postgres;
  cleanups.push(() => postgres.close());
  const metrics = createMetrics();
  const apiKeys = createApiKeys(db);
  const { identify } = createSignIn({
    issuers: issuersOf(config),
    subjects: createSubjects(db),
    apiKeys,
    log,
    metrics,
  });
  // Only routes that call no other port are asked.
  const audit = { check: async () => {}, record: async () => {}, note: () => {} } as unknown as ApiDeps['audit'];
  const common = { config, agents, log, metrics, readiness: createReadiness({}), apiKeys, audit };
  const listen = async (more: Partial<ApiDeps>) => {
    const app = await createApi({ ...common, ...more } as unknown as ApiDeps);
    cleanups.push(() => app.close());
    return app.listen({ host: '127.0.0.1', port: 0 });
  };
  const anyTenant = { requireActive: async () => {} } as unknown as ApiDeps['tenants'];
  const bare = await listen({ tenants: anyTenant });
  const full = await listen({
    identify,
    limits: createRequestLimits({ config, db, log }),
    tenants: createTenants(db, { onlyListed: false }),
  });

  const token = await oidc.sign();
  await fetch(`${full}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  const id = newApiKeyId();
  const { key, hash } = newApiKeySecret(id);
  await apiKeys.create(
    person('ada', { tenant: 'bench', roles: ['clerk'] }),
    { name: 'k', roles: [], scopes: [] },
    { id, hash },
  );
  const calls: Call[] = [
    { name: 'no sign-in and no limits', url: bare, headers: {} },
    { name: 'access token', url: full, headers: { authorization: `Bearer ${token}` } },
    { name: 'API key', url: full, headers: { authorization: `Bearer ${key}` } },
  ];
  await compare({ title: 'GET /v1/me', status: 200, count }, calls, ({ url, headers }) =>
    fetch(`${url}/v1/me`, { headers }),
  );
  await compare({ title: 'POST /v1/tasks, refused for its body', status: 422, count }, calls, ({ url, headers }) =>
    fetch(`${url}/v1/tasks`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', ...headers },
    }),
  );
}

type Comparison = { title: string; status: number; count: number };

/** Takes turns between the calls, so that all of them see the same machine. */
async function compare({ title, status, count }: Comparison, calls: Call[], send: (call: Call) => Promise<Response>) {
  const times = new Map(calls.map(({ name }) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const call of calls)
      for (let n = 0; n < count / rounds; n++) {
        const startedAtMs = performance.now();
        const response = await send(call);
        const text = await response.text();
        if (response.status !== status) throw new Error(`${title}: ${response.status} instead of ${status}: ${text}`);
        // The first round warms up.
        if (round >= 0) times.get(call.name)?.push(performance.now() - startedAtMs);
      }
  console.log(`\n${title}, ${count} requests each`);
  const p50Of = (name: string) => percentile(times.get(name) ?? [], 0.5);
  const base = p50Of(calls[0]?.name ?? '');
  for (const { name } of calls)
    console.log(
      `  ${name}: p50 ${p50Of(name).toFixed(3)} ms (+${(p50Of(name) - base).toFixed(3)}), p95 ${percentile(times.get(name) ?? [], 0.95).toFixed(3)} ms`,
    );
}
