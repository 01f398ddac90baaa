import type { Scope } from '../references.ts';

/** The person or service that asks, with its roles. */
export type Identity = Scope & { roles: readonly string[] };

/**
 * The Temporal run that writes to a task's row. When the row belongs to
 * another run, a person has reset the workflow, or it continues as new.
 */
export type Run = { runId: string };
