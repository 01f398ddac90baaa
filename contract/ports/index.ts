/** The ports: interfaces to database, Temporal, models and network. `adapters/` and `knowledge/` implement them. */
export type { TaskEnd, WorkflowState } from '../rules/task-reconciliation.ts';
export type * from './approvals.ts';
export type * from './call-leases.ts';
export type * from './control.ts';
export type * from './conversations.ts';
export type * from './documents.ts';
export type * from './effects.ts';
export type * from './identity.ts';
export type * from './ledger.ts';
export type * from './message-store.ts';
export type * from './models.ts';
export type * from './outbound.ts';
export type * from './schedules.ts';
export type * from './search.ts';
export type * from './sources.ts';
export type * from './tasks.ts';
export type * from './tools.ts';
export type * from './workflows.ts';
