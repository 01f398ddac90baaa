import { InvalidArgumentError, type Command } from 'commander';
import type { SlackErasure } from '../../adapters/postgres/slack/erase-slack.ts';
import { localPrincipal } from '../../contract/principal.ts';
import type { Config } from '../../runtime/config.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { formatCount } from '../terminal/format.ts';
import { writeAuditEntry } from '../write-audit-entry.ts';

type What = { team: string; id?: string };
type EraseOptions = { tenant?: string; yes?: boolean; json?: boolean };

/** For operators, who see all tenants: what has come by Slack may belong to a subject that never signs in. */
export function addSlackErase(slack: Command, context: CommandContext) {
  slack
    .command('erase')
    .description('delete what a workspace, a person or a channel has in Alfred; for operators, on the database')
    .argument('<what>', 'workspace, or workspace and member or channel, like T0123ABCD/U0123ABCD', what)
    .option('--tenant <name>', 'only what is of this tenant, of a workspace that has had several')
    .option('--yes', 'delete it; without this option it is counted')
    .option('--json', 'as JSON')
    .action((meant: What, options: EraseOptions) => erase(meant, options, context));
}

function what(value: string): What {
  const [, team, id] = /^(T[A-Z0-9]{1,40})(?:[/:]([UWCG][A-Z0-9]{1,40}))?$/.exec(value) ?? [];
  if (team === undefined)
    throw new InvalidArgumentError('expected T0123ABCD, T0123ABCD/U0123ABCD or T0123ABCD/C0123ABCD');
  return id === undefined ? { team } : { team, id };
}

async function erase({ team, id }: What, { tenant, yes = false, json }: EraseOptions, { terminal }: CommandContext) {
  const name = id === undefined ? team : `${team}/${id}`;
  const { tenants, ...counts } = await withDatabase(async ({ config, db }) => {
    const erasure: SlackErasure = { team, id, tenant };
    if (id === undefined) await checkEnded(db, erasure);
    const erased = await eraseAll(db, erasure, yes);
    if (!yes) return erased;
    const usual = tenant ?? config.SLACK_TENANT ?? localPrincipal.tenant;
    for (const one of erased.tenants.length > 0 ? erased.tenants : [usual])
      await writeAuditEntry(
        { config, db, terminal },
        { tenant: one, action: 'slack.erase', resource: { type: 'slack', id: name } },
      );
    return erased;
  });
  if (json) return terminal.printJson({ deleted: yes, tenants, ...counts });
  const { conversations, documents, files, feedback, links, channels } = counts;
  const lines = [
    formatCount(conversations, 'conversation'),
    formatCount(documents, 'document'),
    `${formatCount(files, 'file')} of messages`,
    `${formatCount(feedback, 'answer')} judged`,
    formatCount(links, 'link'),
    `settings of ${formatCount(channels, 'channel')}`,
  ].join(', ');
  terminal.print(`${yes ? 'Deleted of' : 'There is of'} ${name}: ${lines}.`);
  terminal.note(
    yes
      ? 'The contents of the conversations are removed within minutes, while a worker runs. The messages in Slack are Slack’s.'
      : 'Nothing was deleted. Repeat it with --yes.',
  );
}

/** Else its people go on making what is deleted here. */
async function checkEnded(db: Database, { team, tenant }: SlackErasure): Promise<void> {
  const row = await db
    .selectFrom('slack_installations')
    .select(['state', 'tenant'])
    .where('team', '=', team)
    .executeTakeFirst();
  const isServed = row?.state === 'allowed' && (tenant === undefined || tenant === row.tenant);
  if (isServed)
    throw new CliError(`${team} is let in. \`alfred slack workspaces remove ${team}\` ends that; then repeat this.`);
}

async function eraseAll(db: Database, erasure: SlackErasure, isMeant: boolean) {
  const [{ eraseSlack, listSlackDocuments }, { createDocuments }] = await Promise.all([
    import('../../adapters/postgres/slack/erase-slack.ts'),
    import('../../knowledge/store/documents.ts'),
  ]);
  const listed = await listSlackDocuments(db, erasure);
  // First: the rows that are deleted then lead to them.
  if (isMeant) {
    const documents = createDocuments(db);
    for (const { documentId, ...scope } of listed) await documents.delete(scope, documentId);
  }
  const counts = await eraseSlack(db, erasure, { isRehearsal: !isMeant });
  const tenants = [...new Set([...counts.tenants, ...listed.map(({ tenant }) => tenant)])].toSorted();
  return { ...counts, documents: listed.length, tenants };
}

/** Opens the database for one command. */
async function withDatabase<T>(run: (deps: { config: Config; db: Database }) => Promise<T>): Promise<T> {
  const config = await loadStackConfig();
  const [{ pino }, { openPostgres }, { rethrowDatabaseError }] = await Promise.all([
    import('pino'),
    import('../../runtime/database/postgres.ts'),
    import('../rethrow-database-error.ts'),
  ]);
  const postgres = openPostgres(config, pino({ level: 'silent' }));
  try {
    return await run({ config, db: postgres.db }).catch((error: unknown) => {
      if (error instanceof CliError) throw error;
      return rethrowDatabaseError(config)(error);
    });
  } finally {
    await postgres.close();
  }
}
