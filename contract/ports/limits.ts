import type { Scope } from '../references.ts';
import type { CostlyKind, Quota } from '../rules/request-limits.ts';

/**
 * Counts requests. A limit that is off gives no quota.
 *
 * No method fails: while a count that several processes share cannot be reached, each process counts for itself.
 */
export interface RequestLimits {
  /** Counts a request of an address, in this process. */
  takeOfAddress(address: string): Quota[];

  /** Counts a request of an address that begins or finishes a sign-in by browser, in this process. */
  takeSignIn(address: string): Quota[];

  /** Counts a request of a subject and its tenant, in this process. */
  takeOfPrincipal(scope: Scope): Quota[];

  /** Counts a costly request of a subject and its tenant, across processes. */
  takeCostly(scope: Scope, kind: CostlyKind): Promise<Quota[]>;

  /** Deletes counts whose window is over. @returns how many there were */
  removeExpired(limit: number): Promise<number>;
}
