import { readSlackActivity, type SlackActivity } from '../../adapters/postgres/slack/slack-activity.ts';
import { createSlackInstallations } from '../../adapters/postgres/slack/slack-installations.ts';
import { countSlackLinks, type SlackLinkCounts } from '../../adapters/postgres/slack/slack-links.ts';
import type { SlackInstallation } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import { pendingMigrations } from '../../runtime/database/pending-migrations.ts';
import { slackInstallationKeysOf } from '../../runtime/slack-install-settings.ts';
import { rethrowDatabaseError } from '../rethrow-database-error.ts';
import { formatCount, formatSecond } from '../terminal/format.ts';
import { ok, unknown, wrong, type Finding } from './finding.ts';
import { readDatabase } from './read-database.ts';

/** What waits longer than this is late. */
const waitMs = 60_000;

/** Whether the schema is there, and what was received and answered last. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  try {
    return await readDatabase(config, async ({ db }) => {
      const pending = await pendingMigrations(db);
      const schema =
        pending.length === 0
          ? ok('database', 'its schema is up to date')
          : wrong('database', `its schema lacks ${pending.join(', ')}`, 'Run `alfred migrate`.');
      if (pending.some((name) => name.endsWith('_slack'))) return [schema];
      const activity = describeActivity(await readSlackActivity(db));
      if (pending.some((name) => name.endsWith('_slack-installations'))) return [schema, ...activity];
      const links = pending.some((name) => name.endsWith('_slack-links-by-email'))
        ? []
        : [describeLinks(await countSlackLinks(db), config)];
      const installations = await createSlackInstallations(db, slackInstallationKeysOf(config)).list();
      return [schema, ...describeInstallations(installations), ...links, ...activity];
    });
  } catch (error) {
    return [describeFailure(config, error)];
  }
}

/** How many people are linked in which way. */
export function describeLinks(
  { made, byEmail, unclear }: SlackLinkCounts,
  { SLACK_LINK_BY_EMAIL: domains }: Pick<Config, 'SLACK_LINK_BY_EMAIL'>,
): Finding {
  const counts = `${made} by /alfred link, ${byEmail} by e-mail address`;
  if (domains.length === 0) return ok('links', `${counts}; SLACK_LINK_BY_EMAIL is not set`);
  const allowed = `${counts} (${domains.join(', ')})`;
  if (unclear === 0) return ok('links', allowed);
  return unknown(
    'links',
    `${allowed}; ${formatCount(unclear, 'address', 'addresses')} of several sign-ins ${unclear === 1 ? 'links' : 'link'} no one`,
    '`alfred slack unlink --subject <subject>` takes the address from the sign-in that is not used any more.',
  );
}

/** @returns nothing where no workspace has installed Alfred */
export function describeInstallations(installations: Pick<SlackInstallation, 'state'>[]): Finding[] {
  const allowed = installations.filter(({ state }) => state === 'allowed');
  const pending = installations.filter(({ state }) => state === 'pending');
  if (allowed.length + pending.length === 0) return [];
  const letIn = `${formatCount(allowed.length, 'installed workspace')} let in`;
  if (pending.length === 0) return [ok('workspaces', letIn)];
  return [
    unknown(
      'workspaces',
      `${letIn}; ${formatCount(pending.length, 'more', 'more')} ${pending.length === 1 ? 'waits' : 'wait'} to be let in`,
      '`alfred slack workspaces` lists them, with who has installed each. Let in only what you expect.',
    ),
  ];
}

const at = (date: Date) => `${formatSecond(date.toISOString())} UTC`;

export function describeActivity(
  { lastReceivedAt, waiting, waitingSince, lastAnsweredAt, open }: SlackActivity,
  now = Date.now(),
): Finding[] {
  const isLate = waitingSince !== null && now - waitingSince.getTime() > waitMs;
  const received = isLate
    ? wrong(
        'received',
        `${formatCount(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'} to be processed, since ${at(waitingSince)}`,
        'Read the log of the Slack door: Temporal or Postgres does not answer, or Slack refuses a call. Nothing is lost.',
      )
    : lastReceivedAt === null
      ? unknown(
          'received',
          'nothing came from Slack within a day',
          'Write to Alfred in Slack, and run this again. If still nothing comes: invite Alfred into the channel, and check the events.',
        )
      : ok('received', `last at ${at(lastReceivedAt)}`);
  const running = open === 0 ? '' : `; ${formatCount(open, 'answer')} under way`;
  const answered =
    lastAnsweredAt === null
      ? unknown('answered', `nothing yet${running}`)
      : ok('answered', `last at ${at(lastAnsweredAt)}${running}`);
  return [received, answered];
}

function describeFailure(config: Config, error: unknown): Finding {
  try {
    return rethrowDatabaseError(config)(error);
  } catch (described) {
    const [message = '', advice = 'Correct DATABASE_URL.'] = (described as Error).message.split('\n');
    return wrong('database', message, advice);
  }
}
