import type { AuditList, AuditQuery, AuditRecord } from '../audit.ts';

/** The log of who did what. */
export interface Audit {
  /**
   * For the time before a change, whose entry is recorded behind it.
   *
   * @throws AlfredError `database_unavailable` when entries cannot be stored now
   */
  check(): void;

  /**
   * Adds an entry.
   *
   * @returns when it is stored
   * @throws when the database is away, or too many entries wait for it
   */
  record(entry: AuditRecord): Promise<void>;

  /**
   * Adds an entry soon. More like it become one entry with their count. It never waits, and under a flood what is
   * written stays bounded.
   */
  note(entry: AuditRecord): void;

  /** Lists what was done in a tenant, newest first. */
  list(tenant: string, query: AuditQuery): Promise<AuditList>;
}
