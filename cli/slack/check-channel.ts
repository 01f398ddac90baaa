import { judgeFailure } from '../../slack/api-calls/call-error.ts';
import { createWebClient } from '../../slack/api-calls/web-client.ts';
import { isSharedOutside } from '../../slack/channel-info.ts';
import { ok, unknown, wrong, type Finding } from './finding.ts';

type Deps = { botToken: string | undefined; channel: string | undefined; apiUrl: string | undefined };
/** `alerts`: SLACK_ALERTS_CHANNEL. */
type Use = 'alerts' | 'approvals';

const variableOf = (check: Use) => `SLACK_${check.toUpperCase()}_CHANNEL`;
const invite = 'Write `/invite @Alfred` in the channel.';

/** Whether Alfred can write in the channel of a setting. */
export async function checkChannel(check: Use, { botToken: token, channel: id, apiUrl }: Deps): Promise<Finding[]> {
  if (id === undefined) return [];
  if (token === undefined) return [unknown(check, 'without SLACK_BOT_TOKEN Alfred writes in no channel')];
  try {
    const { channel } = await createWebClient({ token, apiUrl }).conversations.info({ channel: id });
    if (channel?.is_archived)
      return [wrong(check, `the channel ${id} is archived`, `Set ${variableOf(check)} to another one.`)];
    if (channel && isSharedOutside(channel))
      return [
        wrong(
          check,
          `the channel ${id} is shared with another organisation, so nothing is posted there`,
          `Set ${variableOf(check)} to another one.`,
        ),
      ];
    if (channel?.is_member) return [ok(check, `they are posted in the channel ${id}`)];
    return [wrong(check, `Alfred is no member of the channel ${id}`, invite)];
  } catch (error) {
    const failure = judgeFailure('conversations.info', error);
    if ('code' in failure && failure.code === 'channel_not_found')
      return [
        wrong(check, `Slack knows no channel ${id}`, `Compare ${variableOf(check)}. If it is private: ${invite}`),
      ];
    // What is wrong with the token or the network stands in other lines.
    return [unknown(check, `Slack does not say whether Alfred may write in the channel ${id}`)];
  }
}
