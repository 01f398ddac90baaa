import type { Artifact } from '../../contract/artifacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord } from '../../contract/json.ts';
import type { Artifacts, SlackPost } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { SlackCallError } from '../api-calls/call-error.ts';
import { isRefused } from './post-errors.ts';
import type { UploadBytes } from './upload-bytes.ts';

export type FileCallsDeps = {
  artifacts: Artifacts;
  calls: SlackCalls;
  uploadBytes: UploadBytes;
  post: SlackPost;
  signal: AbortSignal;
  /** Waits until there is room for another file of a team in memory. */
  withUpload: <T>(team: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  /** @throws LeaseLost when another process may have the post before a call has ended */
  checkLease: () => void;
};

/** A file of a task that Slack has. */
export type Uploaded = { id: string; slackId: string };

/** Calls for the files of one post. They are made in the order in which they are asked for. */
export function createFileCalls(deps: FileCallsDeps) {
  const { artifacts, calls, uploadBytes, post, signal, withUpload, checkLease } = deps;
  const { team, channel, taskId } = post;

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

  async function read(id: string): Promise<Buffer<ArrayBuffer>> {
    const opened = await artifacts.open(post, taskId, id);
    if (!opened) throw new AlfredError('not_found', `The file ${id} is not there any more.`);
    const parts: Buffer[] = [];
    for await (const part of opened.content) parts.push(part);
    return Buffer.concat(parts);
  }

  return {
    /** Gives Slack the content of a file. It is not shown yet. */
    async upload({ id, name, bytes: length }: Artifact): Promise<Uploaded> {
      // Before its content is in memory: this call may wait for long.
      const answer = await call('files.getUploadURLExternal', { filename: name, length });
      await withUpload(team, signal, async () => {
        const bytes = await read(id);
        await uploadBytes({ team, url: String(answer?.upload_url), bytes, signal });
      });
      return { id, slackId: String(answer?.file_id) };
    },

    /** Whether the call that shows a file was made by a process that ended. @throws when Slack still works on it */
    async isShown(slackId: string): Promise<boolean> {
      let file: unknown;
      try {
        file = (await call('files.info', { file: slackId }))?.file;
      } catch (error) {
        if (isRefused(error)) return false;
        throw error;
      }
      const places = isRecord(file) ? [file.channels, file.groups, file.ims].flat() : [];
      if (places.includes(channel)) return true;
      // It may come there by itself.
      throw new SlackCallError('files.info', 'not_shown_yet', 'unknown');
    },

    /** Shows files by one message of a thread. */
    async show(files: { id: string; title: string | undefined }[], threadTs: string): Promise<void> {
      await call('files.completeUploadExternal', { files, channel_id: channel, thread_ts: threadTs });
    },
  };
}
