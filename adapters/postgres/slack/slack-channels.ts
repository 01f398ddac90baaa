import { sql, type Selectable } from 'kysely';
import type { SlackChannels } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

type Row = Selectable<Tables['slack_channels']>;

/** How Alfred is set up in channels. */
export const createSlackChannels = (db: Database): SlackChannels => ({
  async find({ tenant, team, channel }) {
    const { rows } = await sql<Row>`
      select is_on, agent, user_ids, instructions from slack_channels
      where tenant = ${tenant} and team = ${team} and channel = ${channel}`.execute(db);
    const [row] = rows;
    return {
      isOn: row?.is_on ?? true,
      agent: row?.agent ?? null,
      userIds: row?.user_ids ?? null,
      instructions: row?.instructions ?? null,
    };
  },

  async change({ tenant, team, channel }, { isOn, agent, userIds, instructions }, by) {
    await db
      .insertInto('slack_channels')
      .values({
        tenant,
        team,
        channel,
        is_on: isOn ?? true,
        agent: agent ?? null,
        user_ids: userIds ?? null,
        instructions: instructions ?? null,
        changed_by: by,
      })
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'team', 'channel']).doUpdateSet({
          ...(isOn === undefined ? {} : { is_on: isOn }),
          ...(agent === undefined ? {} : { agent }),
          ...(userIds === undefined ? {} : { user_ids: userIds }),
          ...(instructions === undefined ? {} : { instructions }),
          changed_by: by,
          changed_at: sql<Date>`now()`,
        }),
      )
      .execute();
  },

  async reset({ tenant, team, channel }) {
    await sql`
      delete from slack_channels
      where tenant = ${tenant} and team = ${team} and channel = ${channel}`.execute(db);
  },
});
