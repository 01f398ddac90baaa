import type { SlackMessageOwner, SlackPostMessage, SlackPosts } from '../../contract/ports/index.ts';
import { LeaseLost } from './post-errors.ts';

/** Where the messages are stored. */
export type MessageStore = Pick<SlackPosts, 'save' | 'ownedTs'>;

type Deps = {
  posts: MessageStore;
  owner: string;
  post: SlackMessageOwner;
  /** Number of the newest event. */
  seq: () => number;
};

/** The messages of one post, as they are stored. Each change throws LeaseLost when another process has the post. */
export function createMessageRows({ posts, owner, post, seq }: Deps) {
  let messages: SlackPostMessage[] = [...post.messages];

  async function save(changed: SlackPostMessage[]): Promise<void> {
    messages = changed;
    if (!(await posts.save(owner, post.id, { messages, seq: Math.max(post.seq, seq()) }))) throw new LeaseLost();
  }

  const knownTs = (): string[] => messages.flatMap(({ ts }) => (ts === null ? [] : [ts]));
  // What stands in a channel by itself is no stream, so that its metadata tells it from what other posts own.
  const ownedTs = async (): Promise<string[]> => (post.threadTs === '' ? knownTs() : posts.ownedTs(post));

  return {
    get: (index: number): SlackPostMessage | undefined => messages[index],
    /** @returns the index of the first message in this state, or -1 */
    find: (state: SlackPostMessage['state']) => messages.findIndex((message) => message.state === state),
    put: (index: number, message: SlackPostMessage) => save(messages.toSpliced(index, 1, message)),
    /** The messages after it move up. */
    remove: (index: number) => save(messages.toSpliced(index, 1)),
    markShown: () => save(messages.map((message) => ({ ...message, state: 'shown' }))),
    /** Which messages in the thread are those of a post, this one included. */
    ownedTs,
    /** Two posts of one thread may have found the same message. Timestamps are stored before they are compared. */
    isShared: async (ts: string) => (await ownedTs()).filter((other) => other === ts).length > 1,
  };
}
