import type { SlackPost, SlackPostFile, SlackPosts } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isRefused, isTokenRefused, LeaseLost, reasonOf } from './post-errors.ts';

/** So often the upload of a file may fail until a link stands in its place. */
const mostFailures = 4;

export type FileRowsDeps = {
  posts: Pick<SlackPosts, 'saveFiles'>;
  log: Pick<Logger, 'warn'>;
  owner: string;
  post: SlackPost;
  signal: AbortSignal;
  onFile: (outcome: 'shared' | 'linked') => void;
};

/** What has become of the files of one post, as stored. A change throws LeaseLost when another process has the post. */
export function createFileRows({ posts, log, owner, post, signal, onFile }: FileRowsDeps) {
  let files = post.files;

  const find = (id: string) => files.find((file) => file.id === id);

  async function put(changed: SlackPostFile[]): Promise<void> {
    files = [...files.filter(({ id }) => !changed.some((other) => other.id === id)), ...changed];
    if (!(await posts.saveFiles(owner, post.id, files))) throw new LeaseLost();
  }

  return {
    find,
    put,
    /** Those that another process may have shown. */
    begun: () => files.filter(({ state }) => state === 'sharing'),
    isWaiting: (id: string): boolean => (find(id)?.state ?? 'waiting') === 'waiting',

    async putShared(shared: { id: string; slackId: string }[]): Promise<void> {
      await put(shared.map((file) => ({ ...file, state: 'shared' })));
      for (const _ of shared) onFile('shared');
    },

    /** Stores that links stand in the place of these, or throws the error while they are worth another attempt. */
    async fail(ids: string[], error: unknown): Promise<void> {
      if (signal.aborted || error instanceof LeaseLost) throw error;
      const isOver = isRefused(error) && !isTokenRefused(error);
      const failed = Math.max(...ids.map((id) => find(id)?.failed ?? 0)) + 1;
      if (!isOver && (isTokenRefused(error) || failed < mostFailures)) {
        await put(ids.map((id) => ({ state: 'waiting', ...find(id), id, failed })));
        throw error;
      }
      const { team, taskId } = post;
      log.warn({ taskId, team, code: reasonOf(error) }, 'files of a task are not in Slack: links stand in their place');
      await put(ids.map((id) => ({ id, state: 'linked' })));
      for (const _ of ids) onFile('linked');
    },
  };
}
