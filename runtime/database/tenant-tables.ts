import type { Generated } from 'kysely';

/** The tables of tenants, and of what is shared within one. */
export interface TenantTables {
  tenants: {
    name: string;
    state: Generated<string>;
    limits: Generated<unknown>;
    reason: string | null;
    created_at: Generated<Date>;
    suspended_at: Date | null;
  };
  agent_settings: {
    tenant: string;
    agent: string;
    version: number;
    settings: unknown;
    instructions: string | null;
    note: string;
    restores: number | null;
    created_by: string;
    created_at: Generated<Date>;
    is_newest: Generated<boolean>;
  };
  task_readers: { task_id: string; reader: string; tenant: string };
  conversation_readers: { conversation_id: string; reader: string; tenant: string };
}
