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
  task_readers: { task_id: string; reader: string; tenant: string };
  conversation_readers: { conversation_id: string; reader: string; tenant: string };
}
