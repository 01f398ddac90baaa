import type { ConversationRows, SlackRemoval, SlackThreads } from '../../contract/ports/index.ts';
import type { RemoveFiles } from '../files/remove-files.ts';
import type { Notices } from './notices.ts';
import { messageIdOf, type ChangedQuestion } from './question.ts';

type Deps = {
  threads: Pick<SlackThreads, 'find'>;
  conversations: Pick<ConversationRows, 'listMessages'>;
  removeFiles: Pick<RemoveFiles, 'remove'>;
  notices: Notices;
};

/** Changes of older messages are not noticed. */
const newestMessages = 200;

const lines = {
  edited:
    'You edited your message. My answer is for its earlier text: send the new text as a message to get another one.',
  deleted: 'You deleted your message. I had read it already, and my answer stays.',
};

const filesRemoved = 'I have removed the documents that its files had become.';

/**
 * Tells a person whose question was changed in Slack that Alfred has read it as it was. Files that were deleted with a
 * message, or in it, are documents no more.
 */
export const createNoticeChange = ({ threads, conversations, removeFiles, notices }: Deps) => {
  async function isQuestion(changed: ChangedQuestion): Promise<boolean> {
    const thread = await threads.find(changed);
    if (!thread) return false;
    const { messages } = await conversations.listMessages(thread, thread.conversationId, { limit: newestMessages });
    const id = messageIdOf(changed.ts);
    return messages.some((message) => message.id === id && message.role === 'user');
  }

  return async (changed: ChangedQuestion | undefined, removals: SlackRemoval[]): Promise<void> => {
    const removed = await removeFiles.remove(removals, changed);
    if (!changed) return;
    const shown = removed > 0 ? [filesRemoved] : [];
    if (await isQuestion(changed)) shown.unshift(lines[changed.change]);
    if (shown.length > 0) await notices.send(changed, shown.join('\n'));
  };
};
