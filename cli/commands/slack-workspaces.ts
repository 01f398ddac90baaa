import { InvalidArgumentError, type Command } from 'commander';
import type { SlackInstallation, SlackInstallations, TenantAdmin } from '../../contract/ports/index.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { slackUserResource } from '../../contract/rules/slack-link.ts';
import type { Config } from '../../runtime/config.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { formatCount, formatSecond } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { writeAuditEntry } from '../write-audit-entry.ts';

type JsonOption = { json?: boolean };

/** Commands of operators, who see all tenants. They work on the database, as `alfred tenants` does. */
export function addSlackWorkspaces(slack: Command, context: CommandContext) {
  const workspaces = slack
    .command('workspaces')
    .description('the workspaces that have installed Alfred, for operators: on the database');
  workspaces
    .command('list', { isDefault: true })
    .description('by name, with what state they are in and whose documents their people may read')
    .option('--json', 'as JSON')
    .action((options: JsonOption) => list(options, context));
  workspaces
    .command('allow')
    .description('let a workspace in: Alfred answers its people from the documents of the tenant')
    .argument('<team>', 'id of the workspace, T…', teamId)
    .requiredOption('--tenant <tenant>', 'whose documents its people may read')
    .option('--json', 'as JSON')
    .action((team: string, options: JsonOption & { tenant: string }) => allow(team, options, context));
  workspaces
    .command('remove')
    .alias('delete')
    .description('delete the token of a workspace: Alfred answers no one there any more')
    .argument('<team>', 'id of the workspace, T…', teamId)
    .option('--json', 'as JSON')
    .action((team: string, options: JsonOption) => remove(team, options, context));
}

function teamId(value: string): string {
  if (!/^T[A-Z0-9]{1,40}$/.test(value))
    throw new InvalidArgumentError('expected the id of a workspace, like T0123ABCD');
  return value;
}

const stateTexts = { pending: 'waits to be let in', allowed: 'let in', ended: 'removed' } as const;

async function list({ json }: JsonOption, { terminal }: CommandContext) {
  const workspaces = await withDatabase(({ installations }) => installations.list());
  if (json) return terminal.printJson({ workspaces, nextCursor: null });
  if (workspaces.length === 0)
    return terminal.note('No workspace has installed Alfred. How they do: docs/how-to/slack.md, "Several workspaces".');
  const rows = workspaces.map(({ team, name, state, tenant, installedAt, installedBy }) => [
    team,
    name,
    stateTexts[state],
    state === 'pending' ? '' : (tenant ?? ''),
    formatSecond(installedAt.toISOString()),
    installedBy,
  ]);
  terminal.print(table([['TEAM', 'NAME', 'STATE', 'TENANT', 'INSTALLED', 'BY'], ...rows]));
}

const notInstalled = (team: string) =>
  new CliError(`${team} has not installed Alfred, or was removed. \`alfred slack workspaces\` lists the workspaces.`);

async function allow(team: string, { tenant, json }: JsonOption & { tenant: string }, { terminal }: CommandContext) {
  const allowedNow = await withDatabase(async ({ installations, tenants, config, db }) => {
    await refuseOwn(config, team);
    if (tenant !== localPrincipal.tenant && !(await tenants.get(tenant)))
      throw new CliError(
        `There is no tenant ${tenant}. \`alfred tenants\` lists them; \`alfred tenants add ${tenant}\` adds it.`,
      );
    const allowed = await installations.allow(team, tenant);
    if (!allowed) throw notInstalled(team);
    for (const link of allowed.endedLinks)
      await writeAuditEntry(
        { config, db, terminal },
        { tenant: link.tenant, action: 'slack.unlink', resource: slackUserResource(team, link.userId) },
      );
    const resource = { type: 'slack_workspace', id: team };
    const { previousTenant } = allowed;
    if (previousTenant !== null && previousTenant !== tenant)
      await writeAuditEntry(
        { config, db, terminal },
        { tenant: previousTenant, action: 'slack.workspace.remove', resource },
      );
    await writeAuditEntry({ config, db, terminal }, { tenant, action: 'slack.workspace.allow', resource });
    return allowed;
  });
  const { endedLinks, previousTenant: _, ...workspace } = allowedNow;
  if (json) return terminal.printJson(workspace);
  terminal.print(
    `${team} (${workspace.name}) is let in, with the documents of ${tenant} that everyone there may read.`,
  );
  if (endedLinks.length > 0)
    terminal.note(`${formatCount(endedLinks.length, 'link')} of its people with another tenant ended.`);
  terminal.note('The Slack door answers its people within ten seconds.');
}

async function remove(team: string, { json }: JsonOption, { terminal }: CommandContext) {
  let isRevoked = false;
  const workspace = await withDatabase(async ({ installations, config, db }) => {
    const token = await readToken(installations, team);
    const removed = await installations.end(team);
    if (!removed) throw notInstalled(team);
    const resource = { type: 'slack_workspace', id: team };
    // One that was never let in is of no tenant: the entry is for those who run Alfred.
    const tenant = removed.tenant ?? config.SLACK_TENANT ?? localPrincipal.tenant;
    await writeAuditEntry({ config, db, terminal }, { tenant, action: 'slack.workspace.remove', resource });
    isRevoked = token !== undefined && (await revoke(config, token));
    return removed;
  });
  if (json) return terminal.printJson(workspace);
  terminal.print(
    `The token of ${team} (${workspace.name}) is deleted${isRevoked ? ', and Slack takes it no more' : ''}.`,
  );
  if (!isRevoked)
    terminal.note('Slack did not say that it takes the token no more: let a person there remove the app.');
  terminal.note(`What the workspace has in Alfred stays: \`alfred slack erase ${team}\` counts and deletes it.`);
}

/** @returns undefined when there is none, or no key here opens it */
const readToken = async (installations: SlackInstallations, team: string): Promise<string | undefined> =>
  (await installations.find(team).catch(() => undefined))?.token;

/** The copy that is deleted may not be the only one. @returns whether Slack has done it */
async function revoke(config: Config, token: string): Promise<boolean> {
  const { createWebClient } = await import('../../slack/api-calls/web-client.ts');
  return createWebClient({ token, apiUrl: config.SLACK_API_URL })
    .auth.revoke()
    .then(
      ({ ok }) => ok,
      () => false,
    );
}

/** The workspace of SLACK_BOT_TOKEN has the tenant SLACK_TENANT: a second one would take what its people have. */
async function refuseOwn(config: Config, team: string): Promise<void> {
  const { slackSettingsOf } = await import('../../runtime/slack-settings.ts');
  const { botToken: token } = slackSettingsOf(config) ?? {};
  if (token === undefined) return;
  const { createWebClient } = await import('../../slack/api-calls/web-client.ts');
  const answer = await createWebClient({ token, apiUrl: config.SLACK_API_URL })
    .auth.test()
    .catch(() => undefined);
  if (answer?.team_id === team)
    throw new CliError(
      `${team} is the workspace of SLACK_BOT_TOKEN, and its tenant is SLACK_TENANT. To let it in as an installed one, take the token away first.`,
    );
}

type Opened = { installations: SlackInstallations; tenants: TenantAdmin; config: Config; db: Database };

/** Opens the database for one command. */
async function withDatabase<T extends SlackInstallation | SlackInstallation[]>(
  run: (opened: Opened) => Promise<T>,
): Promise<T> {
  const config = await loadStackConfig();
  const [
    { pino },
    { openPostgres },
    { createErasure },
    { createTenantAdmin },
    { createSlackInstallations },
    { slackInstallationKeysOf },
    { rethrowDatabaseError },
  ] = await Promise.all([
    import('pino'),
    import('../../runtime/database/postgres.ts'),
    import('../../adapters/postgres/erasure/erasure.ts'),
    import('../../adapters/postgres/tenants/tenant-admin.ts'),
    import('../../adapters/postgres/slack/slack-installations.ts'),
    import('../../runtime/slack-install-settings.ts'),
    import('../rethrow-database-error.ts'),
  ]);
  const log = pino({ level: 'silent' });
  const postgres = openPostgres(config, log);
  const { db } = postgres;
  try {
    const tenants = createTenantAdmin(db, () => createErasure(db, log).listTenants());
    const installations = createSlackInstallations(db, slackInstallationKeysOf(config));
    return await run({ installations, tenants, config, db }).catch((error: unknown) => {
      if (error instanceof CliError) throw error;
      return rethrowDatabaseError(config)(error);
    });
  } finally {
    await postgres.close();
  }
}
