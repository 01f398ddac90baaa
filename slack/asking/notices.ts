import type { SlackPlace } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';

/** Tells notices apart from answers, which a process that takes an answer over searches for. */
const noticeMetadataType = 'alfred_notice';

export type Notices = {
  /** Says something to one person: in a channel so that the others do not see it. */
  send(to: SlackPlace & { userId: string; isDirect: boolean }, text: string): Promise<void>;
};

/** Lines of Alfred that are no answers. */
export const createNotices = (calls: SlackCalls): Notices => ({
  async send({ team, channel, threadTs, userId, isDirect }, text) {
    const message = { channel, thread_ts: threadTs, text };
    await calls.call({
      team,
      method: isDirect ? 'chat.postMessage' : 'chat.postEphemeral',
      channel,
      arguments: () =>
        isDirect
          ? { ...message, unfurl_links: false, metadata: { event_type: noticeMetadataType, event_payload: {} } }
          : { ...message, user: userId },
    });
  },
});
