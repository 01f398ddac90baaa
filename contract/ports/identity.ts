import type { Scope } from '../references.ts';

/** The person or service that makes a request, with its roles. */
export type Identity = Scope & { roles: readonly string[] };

/**
 * The Temporal run that writes to a task's row. A workflow gets another run when it continues as new, and when a person
 * resets it.
 */
export type Run = { runId: string };
