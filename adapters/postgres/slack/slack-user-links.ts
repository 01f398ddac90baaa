import type { SlackUserLinks } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Which subjects Slack users are. */
export const createSlackUserLinks = (db: Database): SlackUserLinks => ({
  find: (team, userId) =>
    db
      .selectFrom('slack_links')
      .select(['tenant', 'subject'])
      .where('team', '=', team)
      .where('user_id', '=', userId)
      .executeTakeFirst(),
});
