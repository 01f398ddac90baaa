import { InvalidArgumentError, type Command } from 'commander';
import type { SlackLink, SlackLinkFilter } from '../../adapters/postgres/slack/slack-links.ts';
import { slackUserResource } from '../../contract/rules/slack-link.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { withDatabase } from '../with-database.ts';
import { writeAuditEntry } from '../write-audit-entry.ts';

type SlackUser = { team: string; userId: string };
type LinkOptions = { tenant?: string; subject?: string; json?: boolean };

/** Commands of operators about the links of all tenants. They work on the database, like `alfred tenants`. */
export function addSlackLinks(slack: Command, context: CommandContext) {
  slack
    .command('links')
    .description('which sign-ins Slack users are linked with, for operators: on the database')
    .option('--tenant <name>', 'only those of this tenant')
    .option('--subject <subject>', 'only those of this subject, as `alfred whoami` names it')
    .option('--json', 'as JSON')
    .action((options: LinkOptions) => list(options, context));
  slack
    .command('unlink')
    .description('end the link of a Slack user, or all links of a person who leaves')
    .argument('[user]', 'workspace and member, like T0123ABCD/U0123ABCD', slackUser)
    .option('--subject <subject>', 'in place of the user: all links of this subject')
    .option('--tenant <name>', 'the tenant of the subject, where several have one of that name')
    .option('--json', 'as JSON')
    .action((user: SlackUser | undefined, options: LinkOptions) => unlink(user, options, context));
}

/** @param value also as the audit log writes it, with a colon */
function slackUser(value: string): SlackUser {
  const [, team, userId] = /^([TE][A-Z0-9]+)[/:]([UW][A-Z0-9]+)$/.exec(value) ?? [];
  if (team === undefined || userId === undefined)
    throw new InvalidArgumentError('expected workspace and member, like T0123ABCD/U0123ABCD');
  return { team, userId };
}

async function list({ tenant, subject, json }: LinkOptions, { terminal }: CommandContext) {
  const { listSlackLinks } = await import('../../adapters/postgres/slack/slack-links.ts');
  const links = await withDatabase(({ db }) => listSlackLinks(db, { tenant, subject }));
  if (json) return terminal.printJson({ links, nextCursor: null });
  if (links.length === 0) return terminal.note('No links. People make them in Slack: /alfred link');
  const rows = links.map((link) => [
    userOf(link),
    link.tenant,
    link.subject,
    link.madeBy === 'email' ? 'e-mail' : 'sign-in',
    formatMinute(link.linkedAt.toISOString()),
  ]);
  terminal.print(table([['SLACK USER', 'TENANT', 'SUBJECT', 'MADE BY', 'LINKED'], ...rows]));
}

async function unlink(
  user: SlackUser | undefined,
  { tenant, subject, json }: LinkOptions,
  { terminal }: CommandContext,
) {
  if ((user === undefined) === (subject === undefined))
    throw usageError('Name a Slack user, like T0123ABCD/U0123ABCD, or a subject with --subject.');
  if (user && tenant !== undefined) throw usageError('--tenant goes with --subject.');
  const { endSlackLinks, listSlackLinkTenants } = await import('../../adapters/postgres/slack/slack-links.ts');
  const meant: SlackLinkFilter = user ?? { tenant, subject };
  const { ended, addresses, tenants } = await withDatabase(async ({ config, db }) => {
    const tenants = await listSlackLinkTenants(db, meant);
    const { ended, addresses } = tenants.length > 1 ? { ended: [], addresses: 0 } : await endSlackLinks(db, meant);
    for (const link of ended)
      await writeAuditEntry(
        { config, db, terminal },
        { tenant: link.tenant, action: 'slack.unlink', resource: slackUserResource(link.team, link.userId) },
      );
    return { ended, addresses, tenants };
  });
  if (tenants.length > 1)
    throw usageError(
      `${subject} has links or an e-mail address in the tenants ${tenants.join(', ')}: name one with --tenant.`,
    );
  if (ended.length === 0 && addresses === 0)
    throw new CliError(
      `${user ? userOf(user) : subject} has no link${tenant === undefined ? '' : ` in the tenant ${tenant}`}. \`alfred slack links\` lists them.`,
    );
  if (json) return terminal.printJson({ ended, hadAddress: addresses > 0 });
  for (const link of ended)
    terminal.print(`${userOf(link)} is not linked with ${link.subject} of ${link.tenant} any more.`);
  if (addresses > 0) terminal.print(`The e-mail address of ${subject} links no one until its next sign-in.`);
}

const userOf = ({ team, userId }: Pick<SlackLink, 'team' | 'userId'>) => `${team}/${userId}`;
