import type { FastifyRequest } from 'fastify';
import type { ApiDeps } from '../../api/deps.ts';
import { checkRights, identityOf } from '../../api/http/identity.ts';
import { createSignIn } from '../../adapters/identity/sign-in.ts';
import { createApiKeys } from '../../adapters/postgres/identity/api-keys.ts';
import { createSubjects } from '../../adapters/postgres/identity/subjects.ts';
import { newApiKeyId, newApiKeySecret } from '../../runtime/api-key-text.ts';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { loadConfig } from '../../runtime/config.ts';
import { issuersOf } from '../../runtime/identity-settings.ts';
import { audience, startOidcServer } from '../support/identity/oidc-server.ts';
import { person } from '../support/principals.ts';
import { startDatabase, type Surroundings } from './servers.ts';

/**
 * Measures what the door does for a request before its route: it verifies the credential, and asks scopes and policy.
 * The keys of the issuer are there, as after a first request.
 */
export async function measureSignIn({ count, ...surroundings }: Surroundings & { count: number }) {
  const { url } = await startDatabase(surroundings);
  const oidc = await startOidcServer();
  surroundings.cleanups.push(() => oidc.close());
  const config = loadConfig({
    DATABASE_URL: url,
    OIDC_ISSUER: oidc.issuer,
    OIDC_AUDIENCE: audience,
    OIDC_TENANT_CLAIM: 'tenant',
    OIDC_TENANTS: 'acme',
  });
  const postgres = openPostgres(config, surroundings.log);
  surroundings.cleanups.push(() => postgres.close());
  const apiKeys = createApiKeys(postgres.db);
  const subjects = createSubjects(postgres.db);
  const identify = createSignIn({ issuers: issuersOf(config), subjects, apiKeys, log: surroundings.log }).identify;

  const id = newApiKeyId();
  const { key, hash } = newApiKeySecret(id);
  await apiKeys.create(person('ada', { tenant: 'acme' }), { name: 'k', roles: [], scopes: [] }, { id, hash });
  const signed = (jti: number) => oidc.sign({ roles: ['operator'], groups: ['staff'], jti: String(jti) });
  const known = await signed(0);
  const fresh = await Promise.all(Array.from({ length: count + warmUp }, (_, i) => signed(i + 1)));
  console.log(`\n${count} requests, one after the other: sign-in, scopes and policy`);
  await measure('an access token, again and again', () => known);
  await measure('a new access token each', (i) => fresh[i] ?? known);
  await measure('an API key', () => key);

  async function measure(name: string, credentialOf: (i: number) => string) {
    const times: number[] = [];
    for (let i = 0; i < count + warmUp; i++) {
      const startedAtMs = performance.now();
      await signInOnce(credentialOf(i), identify);
      times.push(performance.now() - startedAtMs);
    }
    const counted = times.slice(warmUp).sort((a, b) => a - b);
    const at = (part: number) => (counted[Math.floor(part * (count - 1))] ?? 0).toFixed(3);
    console.log(`  ${name}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`);
  }
}

/** Requests before those that are counted. */
const warmUp = 100;

/** What the hooks of the API do before a route of a list. */
async function signInOnce(credential: string, identify: NonNullable<ApiDeps['identify']>): Promise<void> {
  const authorization = `Bearer ${credential}`;
  const request = {
    headers: { authorization },
    raw: { rawHeaders: ['authorization', authorization] },
    routeOptions: { schema: { tags: ['tasks'], operationId: 'listTasks' } },
    method: 'GET',
  } as unknown as FastifyRequest;
  const { principal: scope } = await identityOf(request, identify);
  checkRights({ ...request, scope });
}
