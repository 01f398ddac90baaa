import type { ConversationRows, SlackThreads } from '../contract/ports/index.ts';
import { messageIdOf } from './asking/question.ts';
import type { StateOf } from './posting/show-task.ts';

type Deps = { threads: Pick<SlackThreads, 'find'>; conversations: Pick<ConversationRows, 'findMessage'> };

/** What became of the message that the task of a post is for. */
export const createStateOf =
  ({ threads, conversations }: Deps): StateOf =>
  async (post) => {
    const thread = await threads.find(post);
    if (!thread) return undefined;
    const message = await conversations.findMessage(post, thread.conversationId, messageIdOf(post.questionTs));
    return message?.taskId === post.taskId ? message.state : undefined;
  };
