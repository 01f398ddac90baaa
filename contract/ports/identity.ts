import type { Scope } from '../references.ts';

/** Who asks, and with which roles. */
export type Identity = Scope & { roles: readonly string[] };

/** The Temporal run that writes; another run than the row's means that the workflow was reset. */
export type Run = { runId: string };
