import { sql } from 'kysely';
import type { RequestLimits } from '../../contract/ports/index.ts';
import {
  signInsOfAddress,
  subjectsWorthOfTenant,
  windowMs,
  type CostlyKind,
  type LimitName,
} from '../../contract/rules/request-limits.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { limitOf, type LimitConfig } from '../../runtime/limit-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createWindowCounter } from '../../runtime/window-counter.ts';
import { createSharedCounter } from './shared-counter.ts';

type Deps = { config: LimitConfig; db: Database; log: Pick<Logger, 'warn'> };

/** An outage of the counts is logged so often. */
const warnEveryMs = 60_000;

/** The limits of requests, as docs/adr/0036-requests-are-counted-where-they-cost.md decides where each is counted. */
export function createRequestLimits({ config, db, log }: Deps): RequestLimits {
  const counter = (limit: LimitName, most: number) =>
    most > 0 ? createWindowCounter({ limit, most, windowMs }) : undefined;
  const address = counter('address', limitOf(config, 'ALFRED_LIMIT_ADDRESS'));
  // Where addresses are not limited, all people may come from that of a proxy.
  const signIns = counter('sign_ins', Math.min(signInsOfAddress, limitOf(config, 'ALFRED_LIMIT_ADDRESS')));
  const subjects = counter('subject', limitOf(config, 'ALFRED_LIMIT_SUBJECT'));
  const tenants = counter('tenant', limitOf(config, 'ALFRED_LIMIT_TENANT'));

  let warnedAt = -Infinity;
  const onFailure = (error: unknown) => {
    if (performance.now() - warnedAt < warnEveryMs) return;
    warnedAt = performance.now();
    log.warn({ err: error }, 'requests cannot be counted in the database; this process counts them for itself');
  };
  const shared = (limit: LimitName, most: number) =>
    most > 0 ? createSharedCounter({ limit, most, windowMs, db, onFailure }) : undefined;
  const costly = (kind: CostlyKind, most: number) => ({
    subjects: shared(kind, most),
    tenants: shared(`tenant_${kind}`, most * subjectsWorthOfTenant),
  });
  const costlyCounters = {
    starts: costly('starts', limitOf(config, 'ALFRED_LIMIT_STARTS')),
    uploads: costly('uploads', limitOf(config, 'ALFRED_LIMIT_UPLOADS')),
    searches: costly('searches', limitOf(config, 'ALFRED_LIMIT_SEARCHES')),
  };

  return {
    takeOfAddress: (name) => (address ? [address.take(name)] : []),

    takeSignIn: (name) => (signIns ? [signIns.take(name)] : []),

    takeOfPrincipal({ tenant, subject }) {
      const ofSubject = subjects?.take(JSON.stringify([tenant, subject]));
      // What a subject is refused does not count for others of its tenant.
      if (!tenants || ofSubject?.isExceeded) return ofSubject ? [ofSubject] : [];
      return [...(ofSubject ? [ofSubject] : []), tenants.take(tenant)];
    },

    async takeCostly({ tenant, subject }, kind) {
      const counters = costlyCounters[kind];
      const ofSubject = (await counters.subjects?.take(tenant, subject)) ?? [];
      if (ofSubject.some(({ isExceeded }) => isExceeded)) return ofSubject;
      return [...ofSubject, ...((await counters.tenants?.take(tenant)) ?? [])];
    },

    async removeExpired(limit) {
      const { numAffectedRows } = await sql`
        delete from request_limits where key in (
          select key from request_limits where expire < ${Date.now()} limit ${limit} for update skip locked)`.execute(
        db,
      );
      return Number(numAffectedRows ?? 0);
    },
  };
}
