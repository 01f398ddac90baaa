import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError, SlackCallError } from '../api-calls/call-error.ts';
import { noticeMetadataType } from '../asking/notices.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import type { SlackCommand } from './command.ts';

/** Where Slack takes answers to commands. */
const slackHost = 'hooks.slack.com';
const timeoutMs = 10_000;

export type Replies = {
  /** Answers a command so that only the person who wrote it sees it. @throws SlackCallError */
  send(to: Pick<SlackCommand, 'team' | 'userId' | 'responseUrl'>, message: SlackMessage): Promise<void>;
};

type Deps = { calls: Pick<SlackCalls, 'call'>; apiUrl: string | undefined; fetch?: typeof fetch };

/**
 * Private answers. They go to the address that Slack has sent with the command, which also works where Alfred is no
 * member; when that has expired, into the direct messages of the person.
 */
export const createReplies = ({ calls, apiUrl, fetch: send = fetch }: Deps): Replies => ({
  async send({ team, userId, responseUrl }, message) {
    if (responseUrl !== undefined && isOfSlack(responseUrl, apiUrl)) {
      try {
        return await respond(send, responseUrl, message);
      } catch (error) {
        if (!isSlackCallError(error) || error.effect === 'unknown') throw error;
      }
    }
    await calls.call({
      team,
      method: 'chat.postMessage',
      channel: userId,
      arguments: () => ({
        channel: userId,
        ...message,
        unfurl_links: false,
        metadata: { event_type: noticeMetadataType, event_payload: {} },
      }),
    });
  },
});

/** What is asked in private is sent to no other address, also when a command is forged. */
function isOfSlack(address: string, apiUrl: string | undefined): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, host, origin } = new URL(address);
  return apiUrl === undefined ? protocol === 'https:' && host === slackHost : origin === new URL(apiUrl).origin;
}

/** @throws SlackCallError */
async function respond(send: typeof fetch, address: string, message: SlackMessage): Promise<void> {
  let status: number;
  try {
    const answer = await send(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, ...message }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    status = answer.status;
  } catch {
    // Nothing of the address, which is a secret of half an hour.
    throw new SlackCallError('response_url', 'unavailable', 'unknown');
  }
  if (status >= 300) throw new SlackCallError('response_url', `http_${status}`, status >= 500 ? 'unknown' : 'refused');
}
