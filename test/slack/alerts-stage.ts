import { randomUUID } from 'node:crypto';
import type { SlackNotifications } from '../../contract/ports/index.ts';
import { createApiCalls, type SlackAnswer } from '../../slack/api-calls/api-calls.ts';
import { systemClock } from '../../slack/api-calls/clock.ts';
import { createWebClient } from '../../slack/api-calls/web-client.ts';
import { createNotifier } from '../../slack/notifying/notifier.ts';
import { aboutApprovals, aboutFailures } from '../../slack/notifying/subjects.ts';
import { createChannelInfos } from '../../slack/channel-info.ts';
import { createCheckChannel } from '../../slack/posting/check-channel.ts';
import { until } from '../support/until.ts';
import type { Tap } from './posting/posting-stage.ts';
import type { SlackHarness } from './slack-harness.ts';

type DoorOptions = { channelId?: string; about?: 'failures' | 'approvals' };

const links = { task: (taskId: string) => `https://alfred.example.com/v1/tasks/${taskId}` };

type Failure = { code?: string; tenant?: string; agent?: string; erased?: boolean; agoS?: number };

/** A channel for alerts, tasks that have failed, and processes that post. */
export function createAlertsStage(env: Pick<SlackHarness, 'slack' | 'slackNotifications' | 'postgres'>) {
  const { slack, slackNotifications: notifications } = env;
  const query = (text: string, values: unknown[] = []) => env.postgres.pool.query(text, values);
  const channel = slack.addChannel({ name: `alerts-${randomUUID().slice(0, 8)}` });
  const target = { tenant: 'local', team: slack.workspace.id, channel: channel.id };
  const doors: { stop(): Promise<void> }[] = [];
  const counted: string[] = [];
  const logs: Record<string, unknown>[] = [];
  const line = (level: string) => (fields: object, message: string) => void logs.push({ level, message, ...fields });
  const log = { info: line('info'), warn: line('warn'), error: line('error') } as never;

  return {
    channel,
    target,
    counted,
    logs,
    query,

    /** Tasks that have failed. @returns their ids */
    async fail(count = 1, given: Failure = {}) {
      const { code = 'model_auth', tenant = 'local', agent = 'knowledge', erased = false, agoS = 0 } = given;
      const { rows } = await query(
        `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head, run_id, error_code,
           error_message, last_seq, ended_at, erased_at)
         select gen_random_uuid(), $2, 'alerts', $6, 'failed', 'r', 'm', 'run-1', $3,
           'The secret plan of the question', 5, now() - make_interval(secs => $4), case when $5 then now() end
         from generate_series(1, $1) returning id`,
        [count, tenant, code, agoS, erased, agent],
      );
      return rows.map(({ id }) => id as string);
    },

    /** A process that posts. @param tap a test may end it at a step */
    startDoor(tap: Tap = (_name, act) => act(), { channelId = channel.id, about = 'failures' }: DoorOptions = {}) {
      const client = createWebClient({ token: slack.workspace.botToken, apiUrl: slack.apiUrl });
      const calls = createApiCalls({
        send: (_team, method, args) => tap(method, () => client.apiCall(method, args) as Promise<SlackAnswer>),
        clock: systemClock,
        log,
        metrics: { observe: () => undefined },
      });
      const checkChannel = createCheckChannel({
        calls,
        infoOf: createChannelInfos(calls, systemClock),
        clock: systemClock,
        channels: { find: async () => ({ isOn: true, agent: null, userIds: null, instructions: null }) },
        results: { slackUsersOf: async () => [] },
        maxAgeDays: 30,
      });
      const rows = tapped(notifications, tap);
      const subject =
        about === 'failures' ? aboutFailures(rows, channelId, links) : aboutApprovals(rows, channelId, links);
      const notifier = createNotifier({
        notifications: rows,
        slack: calls,
        clock: systemClock,
        log,
        checkChannel,
        owner: randomUUID(),
        tenant: target.tenant,
        ...subject,
        count: (kind, outcome) => counted.push(`${kind} ${outcome}`),
        pollMs: 20,
      });
      notifier.start(slack.workspace.id);
      doors.push(notifier);
      return notifier;
    },

    /** What stands in the channel. */
    alerts: () => slack.view(channel).filter(({ fromApp }) => fromApp),

    /** Waits until nothing is left to be posted. */
    settled: () =>
      until('each notification is posted', async () => {
        const { rows } = await query(
          'select count(*)::int as all, count(finished_at)::int as ended from slack_notifications',
        );
        return rows[0].all > 0 && rows[0].all === rows[0].ended;
      }),

    /** The leases of dead processes are over, and what was put back is due. */
    passLeases: () => query("update slack_notifications set leased_until = now() - interval '1 s', due_at = now()"),

    async stop() {
      await Promise.all(doors.splice(0).map((door) => door.stop()));
    },

    /** A process that was killed never stops. */
    forgetDoors: () => void doors.splice(0),

    async clear() {
      await query('delete from slack_notifications');
      await query("delete from tasks where subject = 'alerts'");
      counted.splice(0);
      logs.splice(0);
    },
  };
}
export type AlertsStage = ReturnType<typeof createAlertsStage>;

function tapped(notifications: SlackNotifications, tap: Tap): SlackNotifications {
  return {
    ...notifications,
    collectFailures: (target) => tap('poll', () => notifications.collectFailures(target)),
    collectApprovals: (target) => tap('poll', () => notifications.collectApprovals(target)),
    async claim(owner, leaseMs, target) {
      const claimed = await tap('poll', () => notifications.claim(owner, leaseMs, target));
      return claimed && tap('claim', async () => claimed);
    },
    save: (owner, id, messages) => tap('save', () => notifications.save(owner, id, messages)),
    finish: (owner, id) => tap('finish', () => notifications.finish(owner, id)),
    park: (owner, id) => tap('park', () => notifications.park(owner, id)),
  };
}
