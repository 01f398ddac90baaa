import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditRecord } from '../../contract/audit.ts';
import type { Audit } from '../../contract/ports/index.ts';
import { auditOf, isChange, sessionEndEntry } from '../../contract/rules/audit-actions.ts';
import { clientOf } from '../../contract/rules/client-name.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from './fastify.ts';

type Deps = {
  audit: Pick<Audit, 'check' | 'record' | 'note'>;
  config: Pick<ApiDeps['config'], 'ALFRED_COUNTRY_HEADER'>;
} & {
  /** Whose log gets the sign-ins that failed. Empty: those of the operator alone, because it is not known. */
  tenantOfStrangers: string;
};

/**
 * Writes to the audit log what requests have done, and what was refused. The answer to a request that changes something
 * leaves when its entry is stored. While entries cannot be stored, nothing is changed.
 */
export function auditRequests(app: Api, { audit, config, tenantOfStrangers }: Deps): void {
  const seen = new WeakSet<FastifyRequest>();
  app.addHook('preHandler', async (request) => {
    if (isChange(routeSchemaOf(request).operationId)) audit.check();
  });
  app.addHook('onSend', async (request, reply) => {
    // The answer that says that the entry could not be stored comes here too.
    if (seen.has(request)) return;
    seen.add(request);
    const principal = request.scope as FastifyRequest['scope'] | null;
    const { operationId } = routeSchemaOf(request);
    const found = auditOf({ operationId, status: reply.statusCode, signedIn: principal !== null });
    const from = { requestId: request.id, ...whereFrom(request, config.ALFRED_COUNTRY_HEADER) };
    const sender = {
      tenant: principal?.tenant ?? tenantOfStrangers,
      subject: principal?.subject ?? '',
      kind: principal?.kind,
      via: principal?.via,
      ...from,
    };
    const { action: end = 'session.end', sessions = [] } = request.ended ?? {};
    // Who signs out is signed out also while the log cannot be written. Its entry is stored when it can be.
    await Promise.allSettled(sessions.map((session) => audit.record({ ...from, ...sessionEndEntry(end, session) })));
    if (principal && principal.via !== 'local') audit.note({ ...sender, action: 'sign_in', outcome: 'ok' });
    if (reply.statusCode < 400)
      for (const resource of [request.readOfOther ?? []].flat())
        audit.note({ ...sender, action: 'other.read', outcome: 'ok', resource });
    if (!found) return;
    const { action, type, outcome, waits } = found;
    const id = resourceIdOf(request, reply, outcome === 'ok');
    const entry: AuditRecord = {
      ...sender,
      action,
      outcome,
      code: outcome === 'ok' ? undefined : request.problemCode,
      resource: type !== undefined && id !== undefined ? { type, id } : undefined,
    };
    if (!waits) return audit.note(entry);
    try {
      await audit.record(entry);
    } catch (error) {
      // What was done stays done, and a repeat finds it.
      reply.removeHeader('location');
      throw error;
    }
  });
}

const routeSchemaOf = ({ routeOptions }: FastifyRequest) => routeOptions?.schema ?? {};

function whereFrom({ ip, headers }: FastifyRequest, countryHeader: string | undefined) {
  const country = countryHeader === undefined ? undefined : headers[countryHeader];
  return {
    address: ip?.replace(/^::ffff:(?=\d+\.)/i, ''),
    client: clientOf(headers['user-agent']),
    ...(typeof country === 'string' && /^[a-z]{2}$/i.test(country) ? { country: country.toUpperCase() } : {}),
  };
}

/** The id in the address, else that of what was made. Of a refused request only what looks like an id. */
function resourceIdOf({ params }: FastifyRequest, reply: FastifyReply, isDone: boolean): string | undefined {
  const { id, name } = (params ?? {}) as { id?: unknown; name?: unknown };
  const location = reply.getHeader('location');
  const made = typeof location === 'string' ? location.split(/[?#]/)[0]?.split('/').at(-1) : undefined;
  const given = [id, name, made].find((one): one is string => typeof one === 'string');
  return isDone || /^[0-9a-f-]{16,36}$/.test(given ?? '') ? given : undefined;
}
