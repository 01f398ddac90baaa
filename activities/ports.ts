/** What activities need of the world, by subject. Adapters stand behind it. */
export type { Closure, WorkflowState } from '../contract/task-truth.ts';
export type * from './ports/approvals.ts';
export type * from './ports/chains.ts';
export type * from './ports/citations.ts';
export type * from './ports/collections.ts';
export type * from './ports/conversations.ts';
export type * from './ports/documents.ts';
export type * from './ports/effects.ts';
export type * from './ports/identity.ts';
export type * from './ports/ledger.ts';
export type * from './ports/models.ts';
export type * from './ports/outbound.ts';
export type * from './ports/schedules.ts';
export type * from './ports/search.ts';
export type * from './ports/sources.ts';
export type * from './ports/tasks.ts';
export type * from './ports/tools.ts';
export type * from './ports/workflows.ts';
