import { sql, type OperationNodeSource, type RawBuilder } from 'kysely';
import type { Tables } from '../../runtime/database/tables.ts';

/** Common table expressions by name. A query may use those that stand before it. */
export type Queries = Record<string, OperationNodeSource>;

/** The `with` clause of a statement. It needs at least one query. */
export const withQueries = (queries: Queries): RawBuilder<unknown> =>
  sql`with ${sql.join(Object.entries(queries).map(([name, query]) => sql`${sql.id(name)} as (${query})`))}`;

/** Values of columns by name: plain values become parameters, `sql` stands for itself. */
export type Columns<Table extends keyof Tables> = Partial<Record<keyof Tables[Table], unknown>>;

/** The assignments of an `update … set`. It needs at least one column. */
export const assignments = (columns: Record<string, unknown>): RawBuilder<unknown> =>
  sql.join(Object.entries(columns).map(([name, value]) => sql`${sql.id(name)} = ${value}`));
