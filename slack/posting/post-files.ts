import type { Artifact } from '../../contract/artifacts.ts';
import type { TaskFile } from '../rendering/task-view.ts';
import { createFileCalls, type FileCallsDeps, type Uploaded } from './file-calls.ts';
import { createFileRows, type FileRowsDeps } from './file-rows.ts';
import { isForAllFiles, isRefused, isTokenRefused } from './post-errors.ts';

/** What one task uploads at most. For the rest there are links. */
const mostFiles = 9;
const mostBytes = 50_000_000;

export type PostFilesDeps = FileCallsDeps & FileRowsDeps;

/**
 * The files of one task in its thread. What is uploaded is shown by one call, before which the row says `sharing`: a
 * process that takes the post over asks Slack whether that call was made.
 */
export function createPostFiles(deps: PostFilesDeps) {
  const { artifacts, post } = deps;
  const calls = createFileCalls(deps);
  const rows = createFileRows(deps);
  let chosen: Artifact[] = [];

  const isChosen = (id: string) => chosen.some((artifact) => artifact.id === id);

  /** Uploads what waits. No one sees it yet. */
  async function uploadAll(): Promise<Uploaded[]> {
    const uploaded: Uploaded[] = [];
    for (const artifact of chosen) {
      if (!rows.isWaiting(artifact.id)) continue;
      try {
        uploaded.push(await calls.upload(artifact));
      } catch (error) {
        const waiting = chosen.map(({ id }) => id).filter(rows.isWaiting);
        await rows.fail(isForAllFiles(error) ? waiting : [artifact.id], error);
      }
    }
    // Not those that were uploaded before Slack took no more.
    return uploaded.filter(({ id }) => rows.isWaiting(id));
  }

  /** @param group shown by one message; where Slack does not take all of them, each by its own */
  async function show(group: Uploaded[], threadTs: string): Promise<void> {
    if (group.length === 0) return;
    const titled = group.map(({ id, slackId }) => ({ id: slackId, title: chosen.find((one) => one.id === id)?.name }));
    try {
      await calls.show(titled, threadTs);
    } catch (error) {
      if (group.length === 1 || !isRefused(error) || isTokenRefused(error) || isForAllFiles(error)) {
        const ids = group.map(({ id }) => id);
        return await rows.fail(ids, error);
      }
      for (const file of group) await show([file], threadTs);
      return;
    }
    await rows.putShared(group);
  }

  /** Ends what another process has begun. */
  async function settle(threadTs: string): Promise<void> {
    const again: Uploaded[] = [];
    for (const { id, slackId = '' } of rows.begun()) {
      try {
        if (await calls.isShown(slackId)) await rows.putShared([{ id, slackId }]);
        else if (isChosen(id)) again.push({ id, slackId });
      } catch (error) {
        await rows.fail([id], error);
      }
    }
    await show(again, threadTs);
  }

  return {
    /** Finds out which of these files are to be uploaded. None of a task that was erased. */
    async choose(named: TaskFile[]): Promise<void> {
      const known = named.length === 0 ? [] : await artifacts.list(post, post.taskId);
      chosen = fitting(known.filter(({ id }) => named.some((file) => file.id === id)));
    },

    /** Which of these files links stand for. */
    linked: (named: TaskFile[]): TaskFile[] =>
      named.filter(({ id }) => {
        const state = rows.find(id)?.state;
        return state === 'linked' || (state !== 'shared' && !isChosen(id));
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
      const still = new Set((await artifacts.list(post, post.taskId)).map(({ id }) => id));
      const group = uploaded.filter(({ id }) => still.has(id));
      await rows.put(group.map((file) => ({ ...rows.find(file.id), ...file, state: 'sharing' })));
      await show(group, threadTs);
    },
  };
}

/** The first ones that are not too much; what is left out takes no room. Slack takes no empty file. */
function fitting(artifacts: Artifact[]): Artifact[] {
  let free = mostBytes;
  return artifacts
    .filter(({ bytes }) => {
      if (bytes === 0 || bytes > free) return false;
      free -= bytes;
      return true;
    })
    .slice(0, mostFiles);
}
