import type { Artifact } from '../../contract/artifacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord } from '../../contract/json.ts';
import type { Artifacts, SlackPost, SlackPostFile, SlackPosts } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { SlackCallError } from '../api-calls/call-error.ts';
import type { TaskFile } from '../rendering/task-view.ts';
import { isForAllFiles, isRefused, isTokenRefused, LeaseLost, reasonOf } from './post-errors.ts';
import type { UploadBytes } from './upload-bytes.ts';

/** What one task uploads at most. For the rest there are links. */
const mostFiles = 9;
const mostBytes = 50_000_000;
/** So often the upload of a file may fail until a link stands in its place. */
const mostFailures = 4;

export type PostFilesDeps = {
  posts: Pick<SlackPosts, 'saveFiles'>;
  artifacts: Artifacts;
  calls: SlackCalls;
  uploadBytes: UploadBytes;
  /** Waits until there is room for another file in memory. */
  withUpload: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  log: Pick<Logger, 'warn'>;
  owner: string;
  post: SlackPost;
  signal: AbortSignal;
  /** @throws LeaseLost when another process may have the post before a call has ended */
  checkLease: () => void;
  onFile: (outcome: 'shared' | 'linked') => void;
};

type Uploaded = { id: string; slackId: string };

/**
 * The files of one task in its thread. What is uploaded is shown by one call, before which the row says `sharing`: a
 * process that takes the post over asks Slack whether that call was made.
 */
export function createPostFiles(deps: PostFilesDeps) {
  const { posts, artifacts, calls, uploadBytes, withUpload, log, owner, post, signal, checkLease, onFile } = deps;
  const { team, channel, taskId } = post;
  let files = post.files;
  let chosen: Artifact[] = [];

  const find = (id: string) => files.find((file) => file.id === id);
  const isWaiting = (id: string) => (find(id)?.state ?? 'waiting') === 'waiting';

  async function put(changed: SlackPostFile[]): Promise<void> {
    files = [...files.filter(({ id }) => !changed.some((other) => other.id === id)), ...changed];
    if (!(await posts.saveFiles(owner, post.id, files))) throw new LeaseLost();
  }

  /** Stores that links stand in the place of these, or throws the error while they are worth another attempt. */
  async function fail(ids: string[], error: unknown): Promise<void> {
    if (signal.aborted || error instanceof LeaseLost) throw error;
    const isOver = isRefused(error) && !isTokenRefused(error);
    const failed = Math.max(...ids.map((id) => find(id)?.failed ?? 0)) + 1;
    if (!isOver && (isTokenRefused(error) || failed < mostFailures)) {
      await put(ids.map((id) => ({ state: 'waiting', ...find(id), id, failed })));
      throw error;
    }
    log.warn({ taskId, team, code: reasonOf(error) }, 'files of a task are not in Slack: links stand in their place');
    await put(ids.map((id) => ({ id, state: 'linked' })));
    for (const _ of ids) onFile('linked');
  }

  const call = (method: string, args: Record<string, unknown>) =>
    calls.call({
      team,
      method,
      order: post.id,
      signal,
      arguments: () => {
        checkLease();
        return args;
      },
    });

  async function upload({ id, name }: Artifact): Promise<Uploaded> {
    const opened = await artifacts.open(post, taskId, id);
    if (!opened) throw new AlfredError('not_found', `The file ${id} is not there any more.`);
    const parts: Buffer[] = [];
    for await (const part of opened.content) parts.push(part);
    const bytes = Buffer.concat(parts);
    const answer = await call('files.getUploadURLExternal', { filename: name, length: bytes.length });
    await uploadBytes({ team, url: String(answer?.upload_url), bytes, signal });
    return { id, slackId: String(answer?.file_id) };
  }

  /** Uploads what waits. Nobody sees it yet. */
  async function uploadAll(): Promise<Uploaded[]> {
    const uploaded: Uploaded[] = [];
    for (const artifact of chosen) {
      if (!isWaiting(artifact.id)) continue;
      try {
        uploaded.push(await withUpload(signal, () => upload(artifact)));
      } catch (error) {
        const others = chosen.map(({ id }) => id).filter(isWaiting);
        await fail(isForAllFiles(error) ? others : [artifact.id], error);
      }
    }
    // Also those that were uploaded before Slack took no more.
    return uploaded.filter(({ id }) => isWaiting(id));
  }

  /** Whether the call that shows a file was made by a process that ended. */
  async function isShown(slackId: string): Promise<boolean> {
    let file: unknown;
    try {
      file = (await call('files.info', { file: slackId }))?.file;
    } catch (error) {
      if (isRefused(error)) return false;
      throw error;
    }
    const places = isRecord(file) ? [file.channels, file.groups, file.ims].flat() : [];
    if (places.includes(channel)) return true;
    // Slack has the file, and works on it: it may come there by itself.
    throw new SlackCallError('files.info', 'not_shown_yet', 'unknown');
  }

  /** @param group shown by one message; where Slack does not take all of them, each by its own */
  async function show(group: Uploaded[], threadTs: string): Promise<void> {
    if (group.length === 0) return;
    const ids = group.map(({ id }) => id);
    const titled = group.map(({ id, slackId }) => ({ id: slackId, title: chosen.find((one) => one.id === id)?.name }));
    try {
      await call('files.completeUploadExternal', { files: titled, channel_id: channel, thread_ts: threadTs });
    } catch (error) {
      if (group.length === 1 || !isRefused(error) || isTokenRefused(error) || isForAllFiles(error))
        return await fail(ids, error);
      for (const file of group) await show([file], threadTs);
      return;
    }
    await put(group.map((file) => ({ ...file, state: 'shared' })));
    for (const _ of group) onFile('shared');
  }

  /** Ends what another process has begun. */
  async function settle(threadTs: string): Promise<void> {
    const again: Uploaded[] = [];
    for (const { id, state, slackId } of files) {
      if (state !== 'sharing' || slackId === undefined) continue;
      try {
        if (await isShown(slackId)) await put([{ id, slackId, state: 'shared' }]);
        else if (chosen.some((artifact) => artifact.id === id)) again.push({ id, slackId });
      } catch (error) {
        await fail([id], error);
      }
    }
    await show(again, threadTs);
  }

  return {
    /** Finds out which of these files are to be uploaded. None of a task that was erased. */
    async choose(named: TaskFile[]): Promise<void> {
      const known = named.length === 0 ? [] : await artifacts.list(post, taskId);
      chosen = fitting(known.filter(({ id }) => named.some((file) => file.id === id)));
    },

    /** Which of these files links stand for. */
    linked: (named: TaskFile[]): TaskFile[] =>
      named.filter(({ id }) => {
        const state = find(id)?.state;
        return state === 'linked' || (state !== 'shared' && !chosen.some((artifact) => artifact.id === id));
      }),

    /**
     * Shows the chosen files in a thread. Safe to repeat, also by another process.
     *
     * @param mayShow throws when people read there by now who may not read the answer
     * @throws when it is worth another attempt
     */
    async share(threadTs: string, mayShow: () => Promise<void>): Promise<void> {
      await settle(threadTs);
      const uploaded = await uploadAll();
      if (uploaded.length === 0) return;
      await mayShow();
      const still = new Set((await artifacts.list(post, taskId)).map(({ id }) => id));
      const group = uploaded.filter(({ id }) => still.has(id));
      await put(group.map((file) => ({ ...find(file.id), ...file, state: 'sharing' })));
      await show(group, threadTs);
    },
  };
}

/** The first ones that are not too much. Slack takes no empty file. */
function fitting(artifacts: Artifact[]): Artifact[] {
  let bytes = 0;
  return artifacts
    .filter((artifact) => artifact.bytes > 0)
    .filter((artifact) => (bytes += artifact.bytes) <= mostBytes)
    .slice(0, mostFiles);
}
