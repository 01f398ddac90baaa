import type { FastifyReply, FastifyRequest } from 'fastify';
import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import {
  costlyKindOf,
  explainExceeded,
  isSignInRoute,
  quotaHeaders,
  subjectsWorthOfTenant,
  type LimitName,
  type Quota,
} from '../../contract/rules/request-limits.ts';
import { limitOf } from '../../runtime/limit-settings.ts';
import type { ApiDeps } from '../deps.ts';
import { addressOf } from './client-address.ts';
import { createSlots } from './slots.ts';

type Deps = Pick<ApiDeps, 'config' | 'limits' | 'metrics'>;

/** How long to wait before a stream or an upload is tried again, when all are taken. */
const slotRetryMs = 5_000;

/** Requests whose bodies take long. */
const uploading: readonly string[] = ['uploadDocuments', 'ingestContacts'];

/** Limits of requests, and of what is under way at once. All are asked before the body of a request is read. */
export function createDoorLimits({ config, limits, metrics }: Deps) {
  const streams = createSlots(limitOf(config, 'ALFRED_LIMIT_STREAMS'));
  const tenantStreams = createSlots(limitOf(config, 'ALFRED_LIMIT_STREAMS') * subjectsWorthOfTenant);
  const uploads = createSlots(limitOf(config, 'ALFRED_LIMIT_CONCURRENT_UPLOADS'));

  function refuseExceeded(quotas: readonly Quota[], reply: FastifyReply): void {
    const exceeded = quotas.find(({ isExceeded }) => isExceeded);
    // What a tenant has left says what others do: only who is refused reads it.
    const shown = exceeded ? [exceeded] : quotas.filter(({ limit }) => !isShared(limit));
    void reply.headers(quotaHeaders(shown));
    if (!exceeded) return;
    metrics.requestsLimited.inc({ limit: exceeded.limit });
    const { message, retryAfterMs } = explainExceeded(exceeded);
    throw new AlfredError('rate_limited', message, { retryAfterMs });
  }

  function refuseFull(limit: LimitName, code: ErrorCode): AlfredError {
    metrics.requestsLimited.inc({ limit });
    return new AlfredError(code, undefined, { retryAfterMs: slotRetryMs });
  }

  return {
    /** @throws AlfredError `rate_limited` */
    admitAddress(request: FastifyRequest, reply: FastifyReply): void {
      if (!limits) return;
      const address = addressOf(request);
      const quotas = limits.takeOfAddress(address);
      if (isSignInRoute(request.routeOptions.url ?? '')) quotas.push(...limits.takeSignIn(address));
      if (quotas.some(({ isExceeded }) => isExceeded)) refuseExceeded(quotas, reply);
    },

    /** @throws AlfredError `rate_limited`, `too_many_uploads` */
    async admitPrincipal({ scope, routeOptions }: FastifyRequest, reply: FastifyReply): Promise<void> {
      const kind = costlyKindOf(routeOptions.schema?.operationId);
      if (uploading.includes(routeOptions.schema?.operationId ?? '')) {
        const release = uploads.take(keyOf(scope));
        if (!release) throw refuseFull('concurrent_uploads', 'too_many_uploads');
        releaseAtEnd(reply, release);
      }
      if (!limits) return;
      const quotas = limits.takeOfPrincipal(scope);
      if (kind && !quotas.some(({ isExceeded }) => isExceeded)) quotas.push(...(await limits.takeCostly(scope, kind)));
      refuseExceeded(quotas, reply);
    },

    /**
     * Takes a place for an event stream.
     *
     * @returns frees it
     * @throws AlfredError `too_many_streams`
     */
    openStream(scope: Scope): () => void {
      const release = streams.take(keyOf(scope));
      if (!release) throw refuseFull('streams', 'too_many_streams');
      const releaseTenant = tenantStreams.take(scope.tenant);
      if (!releaseTenant) {
        release();
        throw refuseFull('tenant_streams', 'too_many_streams');
      }
      return () => {
        release();
        releaseTenant();
      };
    },
  };
}
export type DoorLimits = ReturnType<typeof createDoorLimits>;

const isShared = (limit: LimitName) => limit === 'address' || limit.startsWith('tenant');

const keyOf = ({ tenant, subject }: Scope) => JSON.stringify([tenant, subject]);

/** However a response ends, `close` comes: also when its reader disconnects or the process closes the connection. */
function releaseAtEnd({ raw }: FastifyReply, release: () => void): void {
  if (raw.destroyed) release();
  else raw.once('close', release);
}
