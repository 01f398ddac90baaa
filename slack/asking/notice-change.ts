import type { ConversationRows, SlackThreads } from '../../contract/ports/index.ts';
import type { Notices } from './notices.ts';
import { messageIdOf, type ChangedQuestion } from './question.ts';

type Deps = {
  threads: Pick<SlackThreads, 'find'>;
  conversations: Pick<ConversationRows, 'listMessages'>;
  notices: Notices;
};

/** Changes of older messages are not noticed. */
const newestMessages = 200;

const lines = {
  edited:
    'You edited your message. My answer is for its earlier text: send the new text as a message to get another one.',
  deleted: 'You deleted your message. I had read it already, and my answer stays.',
};

/** Tells a person whose question was changed in Slack that Alfred has read it as it was. */
export const createNoticeChange =
  ({ threads, conversations, notices }: Deps) =>
  async (changed: ChangedQuestion): Promise<void> => {
    const thread = await threads.find(changed);
    if (!thread) return;
    const { messages } = await conversations.listMessages(thread, thread.conversationId, { limit: newestMessages });
    const id = messageIdOf(changed.ts);
    if (messages.some((message) => message.id === id && message.role === 'user'))
      await notices.send(changed, lines[changed.change]);
  };
