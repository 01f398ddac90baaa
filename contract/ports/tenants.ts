import type { TenantLimits, TenantState, TenantUse } from '../tenants.ts';

/** Tenants as operators have set them up. A change counts everywhere within five seconds. */
export interface Tenants {
  find(name: string): Promise<TenantState>;

  /** For this process, in which a change counts at once. */
  forget(name: string): void;

  /**
   * For everything that starts work.
   *
   * @throws AlfredError `tenant_suspended`, `tenant_unknown`
   */
  requireActive(name: string): Promise<void>;

  /** For everything that adds documents. @throws AlfredError `tenant_full` when the tenant has what it may have */
  requireRoom(name: string): Promise<void>;

  /** Lists tasks that wait because their tenants were suspended, and whose tenants are not any more. */
  listReleased(limit: number): Promise<string[]>;
}

/** What operators do with tenants, on the database. */
export interface TenantAdmin {
  /** Adds a tenant, active and without limits. Idempotent. */
  add(name: string): Promise<TenantReport>;
  get(name: string): Promise<TenantReport | undefined>;
  /** Lists the added tenants, and those that have tasks or conversations. */
  list(): Promise<TenantReport[]>;
  /** Adds the tenant if it is missing. Idempotent; a later reason takes the place of an earlier one. */
  suspend(name: string, reason: string): Promise<TenantReport>;
  /** @returns undefined when the tenant was never added */
  resume(name: string): Promise<TenantReport | undefined>;
  /** Changes the given limits, null: none. The others stay. Adds the tenant if it is missing. */
  limit(name: string, limits: { [Name in keyof TenantLimits]?: number | null }): Promise<TenantReport>;
}

export type TenantReport = {
  name: string;
  /** `implicit`: it was never added, and has tasks or conversations. */
  state: 'active' | 'suspended' | 'implicit';
  reason: string | null;
  limits: TenantLimits;
  createdAt: string | null;
  suspendedAt: string | null;
  use: TenantUse;
};
