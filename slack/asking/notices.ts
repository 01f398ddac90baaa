import type { SlackPlace } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';

/** Tells notices apart from answers, which a process that takes an answer over searches for. */
export const noticeMetadataType = 'alfred_notice';

export type Notices = {
  /** Says something to the person who wrote a message: in a channel so that the others do not see it. */
  send(about: SlackPlace & { ts: string; userId: string; isDirect: boolean }, text: string): Promise<void>;
};

/** Lines of Alfred that are no answers. */
export const createNotices = (calls: Pick<SlackCalls, 'call'>): Notices => ({
  async send({ team, channel, threadTs, ts, userId, isDirect }, text) {
    // What one person alone sees is shown in a thread only when that has replies.
    const isInThread = isDirect || ts !== threadTs;
    const message = { channel, text, ...(isInThread ? { thread_ts: threadTs } : {}) };
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
