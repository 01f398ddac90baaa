import { apiFile } from '../api-objects.ts';
import { list, number, required, strings, text } from '../args.ts';
import { fileLimits } from '../limits.ts';
import type { State } from '../state.ts';
import { type Args, type Channel, type Message, SlackError, type SlackFile, type Workspace } from '../types.ts';
import { threadRoot } from './chat.ts';
import { type Context, findChannelToPost, type Method } from './method.ts';

const mimetypes: Record<string, string> = {
  csv: 'text/csv', gif: 'image/gif', html: 'text/html', jpg: 'image/jpeg', json: 'application/json', md: 'text/markdown',
  pdf: 'application/pdf', png: 'image/png', svg: 'image/svg+xml', txt: 'text/plain',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}; // prettier-ignore

export const mimetypeOf = (name: string): string =>
  mimetypes[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';

/** An app reads a file where it is a member of a channel that has the file, or where the file is its own. */
export const mayReadFile = (state: State, file: SlackFile, { botUserId, id }: Workspace): boolean =>
  file.team === id &&
  !file.deleted &&
  (file.user === botUserId ||
    [...file.channels].some((channel) => state.channels.get(channel)?.members.has(botUserId)));

const info: Method = {
  scopes: ['files:read'],
  run(args, { state, workspace, url }) {
    const file = state.files.get(required(args, 'file', 'file_not_found'));
    if (file?.deleted) throw new SlackError('file_deleted');
    if (!file?.complete || !mayReadFile(state, file, workspace)) throw new SlackError('file_not_found');
    return { file: apiFile(state, file, url) };
  },
};

const getUploadUrl: Method = {
  scopes: ['files:write'],
  run(args, { state, workspace, url }) {
    const name = required(args, 'filename');
    const announcedBytes = number(args, 'length', 0);
    if (announcedBytes <= 0) throw new SlackError('invalid_arguments');
    if (announcedBytes > fileLimits.bytes) throw new SlackError('file_upload_size_restricted');
    const id = state.nextId('F');
    state.files.set(id, {
      id,
      team: workspace.id,
      user: workspace.botUserId,
      name,
      title: name,
      mimetype: mimetypeOf(name),
      content: Buffer.alloc(0),
      createdAt: state.clock.now(),
      channels: new Set(),
      deleted: false,
      complete: false,
      announcedBytes,
    });
    return { upload_url: `${url}/upload/v1/${id}`, file_id: id };
  },
};

/** Shares files in a channel by a message. */
export function shareFiles(
  state: State,
  channel: Channel,
  files: SlackFile[],
  message: Partial<Message> & { user: string },
): Message {
  for (const file of files) file.channels.add(channel.id);
  return state.addMessage(channel, { ...message, subtype: 'file_share', files: files.map(({ id }) => id) });
}

function findUploads(args: Args, { state, workspace }: Context): SlackFile[] {
  return (list(args, 'files', 'invalid_arguments') ?? []).map((given) => {
    const file = state.files.get(required(given, 'id', 'file_not_found'));
    if (!file || file.complete || file.user !== workspace.botUserId || file.content.length === 0)
      throw new SlackError('file_not_found');
    file.title = text(given, 'title') ?? file.title;
    return file;
  });
}

const completeUpload: Method = {
  scopes: ['files:write'],
  run(args, context) {
    const { state, workspace, url } = context;
    const ids = [text(args, 'channel_id') ?? '', ...strings(args, 'channels')].filter((id) => id !== '');
    const files = findUploads(args, context);
    if (files.length === 0) throw new SlackError('invalid_arguments');
    if (ids.length > fileLimits.channels) throw new SlackError('channels_limit_exceeded');
    if (ids.length > 1 && text(args, 'thread_ts') !== undefined) throw new SlackError('invalid_arguments');
    const channels = ids.map((id) => findChannelToPost(id, context));
    for (const file of files) file.complete = true;
    for (const channel of channels) {
      const message = shareFiles(state, channel, files, {
        user: workspace.botUserId,
        botId: workspace.botId,
        text: text(args, 'initial_comment') ?? '',
        threadTs: threadRoot(channel, text(args, 'thread_ts')),
      });
      context.events.message(message);
    }
    return { files: files.map((file) => apiFile(state, file, url)) };
  },
};

export const fileMethods: Record<string, Method> = {
  'files.info': info,
  'files.getUploadURLExternal': getUploadUrl,
  'files.completeUploadExternal': completeUpload,
};
