import type { Scope } from '../../../contract/references.ts';
import { slackUserResource } from '../../../contract/rules/slack-link.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

type Action = 'slack.link' | 'slack.unlink' | 'slack.link.email' | 'slack.unlink.email';
type Linked = { team: string; userId: string; linked: Scope };

/** With what it is about, in one transaction: a process that ends here leaves both or neither. The API signs it. */
export async function leaveLinkEntry(trx: Database, action: Action, { team, userId, linked }: Linked): Promise<void> {
  const { type, id } = slackUserResource(team, userId);
  const { tenant, subject } = linked;
  await trx
    .insertInto('audit_pending')
    .values({ tenant, subject, via: 'slack', action, resource_type: type, resource_id: id, outcome: 'ok' })
    .execute();
}
