import { LRUCache } from 'lru-cache';
import { sql } from 'kysely';
import type { Tenants } from '../../../contract/ports/index.ts';
import { whyNoRoom, whyNothingStarts } from '../../../contract/rules/tenant-rules.ts';
import type { OwnAgent, OwnAgentSettings } from '../../../contract/agent-settings.ts';
import type { TenantLimits, TenantState } from '../../../contract/tenants.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { countDocuments } from './tenant-use.ts';

/** How long a process takes a tenant for what it was. */
const cacheMs = 5_000;

/** Tenants as rows. @param onlyListed whether a tenant without a row is refused */
export function createTenants(db: Database, { onlyListed }: { onlyListed: boolean }): Tenants {
  const known = new LRUCache<string, Promise<TenantState>>({ max: 10_000, ttl: cacheMs });
  const find = (name: string) => {
    const before = known.get(name);
    if (before) return before;
    const found = readTenant(db, name, onlyListed);
    known.set(name, found);
    found.catch(() => known.delete(name));
    return found;
  };
  return {
    find,

    forget: (name) => void known.delete(name),

    async requireActive(name) {
      const why = whyNothingStarts(await find(name));
      if (why) throw why;
    },

    async requireRoom(name) {
      const { limits } = await find(name);
      if (limits.documents === undefined && limits.documentMb === undefined) return;
      const why = whyNoRoom(name, limits, await countDocuments(db, name));
      if (why) throw why;
    },

    async listReleased(limit) {
      const { rows } = await sql<{ id: string }>`
        select t.id from tasks t
        where t.status in ('queued', 'running', 'waiting') and t.status = 'waiting' and t.waiting ->> 'reason' = 'tenant'
          and not exists (select from tenants n where n.name = t.tenant and n.state = 'suspended')
        order by t.id limit ${limit}`.execute(db);
      return rows.map(({ id }) => id);
    },
  };
}

type Row = {
  state: string | null;
  reason: string | null;
  limits: unknown;
  agents: { agent: string; version: number; settings: Omit<OwnAgentSettings, 'instructions'> }[] | null;
};

async function readTenant(db: Database, name: string, onlyListed: boolean): Promise<TenantState> {
  const { rows } = await sql<Row>`
    select n.state, n.reason, n.limits, (
      select jsonb_agg(jsonb_build_object('agent', s.agent, 'version', s.version, 'settings', s.settings))
      from agent_settings s where s.tenant = ${name} and s.is_newest) as agents
    from (select) one left join tenants n on n.name = ${name}`.execute(db);
  const [{ state, reason = null, limits, agents: own }] = rows as [Row];
  const agents = new Map(
    (own ?? []).map(({ agent, version, settings }): [string, OwnAgent] => [agent, { ...settings, version }]),
  );
  const found = { name, reason, limits: (limits ?? {}) as TenantLimits, agents };
  if (state === null) return { ...found, state: onlyListed ? 'unlisted' : 'active' };
  return { ...found, state: state === 'suspended' ? 'suspended' : 'active' };
}
