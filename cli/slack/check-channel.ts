import { judgeFailure } from '../../slack/api-calls/call-error.ts';
import { createWebClient } from '../../slack/api-calls/web-client.ts';
import { ok, unknown, wrong, type Finding } from './finding.ts';

type Deps = { botToken: string | undefined; channel: string | undefined; apiUrl: string | undefined };

const check = 'alerts';
const invite = 'Write `/invite @Alfred` in the channel.';

/** Whether Alfred can write where SLACK_ALERTS_CHANNEL says. */
export async function checkChannel({ botToken: token, channel: id, apiUrl }: Deps): Promise<Finding[]> {
  if (token === undefined || id === undefined) return [];
  try {
    const { channel } = await createWebClient({ token, apiUrl }).conversations.info({ channel: id });
    if (channel?.is_archived)
      return [wrong(check, `the channel ${id} is archived`, 'Set SLACK_ALERTS_CHANNEL to another one.')];
    if (channel?.is_member) return [ok(check, `failed tasks are posted in the channel ${id}`)];
    return [wrong(check, `Alfred is no member of the channel ${id}`, invite)];
  } catch (error) {
    const failure = judgeFailure('conversations.info', error);
    if ('code' in failure && failure.code === 'channel_not_found')
      return [
        wrong(check, `Slack knows no channel ${id}`, `Compare SLACK_ALERTS_CHANNEL. If it is private: ${invite}`),
      ];
    // What is wrong with the token or the network stands in other lines.
    return [unknown(check, `Slack does not say whether Alfred may write in the channel ${id}`)];
  }
}
