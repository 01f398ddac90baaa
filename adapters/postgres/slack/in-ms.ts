import { sql } from 'kysely';

/** So many milliseconds from now, by the clock of Postgres. */
export const inMs = (ms: number) => sql<Date>`now() + make_interval(secs => ${ms / 1_000})`;
