import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { AlfredError } from '../contract/errors.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { isDatabaseUnavailable, isUndefinedTable } from './database/database-errors.ts';
import type { Database } from './database/postgres.ts';
import { isTemporalUnavailable } from './temporal.ts';

type Deps = {
  db: Database;
  client: Client;
  config: Pick<Config, 'TEMPORAL_ADDRESS' | 'TEMPORAL_NAMESPACE'>;
};

/** How to tell Alfred that another Temporal, or one that has lost data, is the right one. */
export const moveCommand = 'alfred setup --temporal-moved';

/**
 * Checks that this process sees the Temporal namespace in which the workflows of this database run. The first namespace
 * that is checked is stored as the right one.
 *
 * Names are not enough: two servers can have namespaces of the same name, and a server that lost its data has a new
 * namespace of the old name. So the namespace's id is compared.
 *
 * @returns `movedAt`: when an operator last reported that Temporal had lost workflows
 * @throws AlfredError `wrong_namespace` with what to do
 */
export async function checkNamespace({ db, client, config }: Deps): Promise<{ movedAt: Date | undefined }> {
  const id = await readNamespaceId(client, config.TEMPORAL_NAMESPACE);
  let known = await readKnown(db);
  if (!known) {
    await sql`
      insert into temporal_namespace (id, name) values (${id}, ${config.TEMPORAL_NAMESPACE})
      on conflict do nothing`.execute(db);
    known = await readKnown(db);
  }
  if (known && known.id !== id) throw wrongNamespace(known, { id, config });
  return { movedAt: known?.moved_at ?? undefined };
}

/**
 * Stores this process's namespace as the right one, and that open tasks which it does not know are to start again from
 * their rows.
 *
 * @returns the id that was stored before, if it is another one
 */
export async function adoptNamespace({ db, client, config }: Deps): Promise<{ previousId: string | undefined }> {
  const id = await readNamespaceId(client, config.TEMPORAL_NAMESPACE);
  const known = await readKnown(db);
  await sql`
    insert into temporal_namespace (id, name, moved_at) values (${id}, ${config.TEMPORAL_NAMESPACE}, now())
    on conflict (singleton) do update set id = excluded.id, name = excluded.name, moved_at = excluded.moved_at`.execute(
    db,
  );
  return { previousId: known && known.id !== id ? known.id : undefined };
}

/**
 * Checks the namespace before a process serves. What cannot be checked now (Postgres is away, the schema is older,
 * Temporal refuses to describe its namespace) is logged: the sweep checks again before it changes a row.
 *
 * @throws AlfredError `wrong_namespace`
 */
export async function checkNamespaceAtStart(deps: Deps, log: Logger): Promise<void> {
  try {
    await checkNamespace(deps);
  } catch (error) {
    if (isWrongNamespace(error)) throw error;
    warnOfUnchecked(error, log);
  }
}

/**
 * Checks the namespace before a connection is used for the first time. What cannot be checked at all is logged, as at a
 * start.
 *
 * @throws AlfredError `wrong_namespace`; what Postgres or Temporal throws while it is away
 */
export async function checkNamespaceBeforeUse(deps: Deps, log: Logger): Promise<void> {
  try {
    await checkNamespace(deps);
  } catch (error) {
    if (isWrongNamespace(error) || isDatabaseUnavailable(error) || isTemporalUnavailable(error)) throw error;
    warnOfUnchecked(error, log);
  }
}

const isWrongNamespace = (error: unknown): boolean => error instanceof AlfredError && error.code === 'wrong_namespace';

function warnOfUnchecked(error: unknown, log: Logger): void {
  if (isDatabaseUnavailable(error) || isUndefinedTable(error))
    log.warn({ err: error }, 'the database could not say which Temporal namespace it belongs to');
  else log.warn({ err: error }, 'Temporal could not say which namespace this process sees');
}

async function readNamespaceId(client: Client, namespace: string): Promise<string> {
  const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id ?? '';
}

const readKnown = (db: Database) =>
  db.selectFrom('temporal_namespace').select(['id', 'name', 'moved_at']).executeTakeFirst();

const wrongNamespace = (
  known: { id: string; name: string },
  { id, config: { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } }: { id: string; config: Deps['config'] },
) =>
  new AlfredError(
    'wrong_namespace',
    `The workflows of this database run in the Temporal namespace ${known.name} with the id ${known.id}; the namespace ${TEMPORAL_NAMESPACE} at ${TEMPORAL_ADDRESS} has the id ${id}. Correct TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE or DATABASE_URL. If Temporal was moved, or lost its data, run: ${moveCommand}`,
  );
