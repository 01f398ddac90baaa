/**
 * The Temporal run that writes to a task's row. A workflow gets another run when it continues as new, and when a person
 * resets it.
 */
export type Run = { runId: string };
