import { isRecord } from '../../../../contract/json.ts';
import { apiMessage } from '../api-objects.ts';
import { list, record, required, text } from '../args.ts';
import { requireMessageBlocks } from '../blocks.ts';
import { messageLimits, streamLimits } from '../limits.ts';
import { endStream } from '../stream-end.ts';
import { textOfBlocks } from '../shown-text.ts';
import { type Args, type Block, type Message, SlackError, type Stream } from '../types.ts';
import { clearStatus, threadRoot } from './chat.ts';
import { type Context, findChannel, findChannelToPost, findOwnMessage, type Method } from './method.ts';
import { withBlockIds } from '../state.ts';

const taskStates = ['pending', 'in_progress', 'complete', 'error'];
const displayModes = ['timeline', 'plan', 'dense'];
const sessionStates = ['active', 'processing', 'suspended', 'closed'];

const str = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Details and output of a task arrive as plain text and are stored as rich text. */
const richText = (value: string): Block => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: value }] }],
});

const isShort = (value: unknown): boolean => typeof value === 'string' && value.length <= streamLimits.chunkField;

function isTask({ id, title, status, details = '', output = '', sources = [] }: Block): boolean {
  const hasTexts = Array.isArray(sources) && sources.every((source) => isRecord(source) && Boolean(source['text']));
  return [id, title, details, output].every(isShort) && taskStates.includes(String(status)) && hasTexts;
}

function checkChunk(chunk: Block): void {
  const { type } = chunk;
  const valid =
    (type === 'markdown_text' && typeof chunk['text'] === 'string') ||
    (type === 'plan_update' && isShort(chunk['title'])) ||
    (type === 'blocks' && Array.isArray(chunk['blocks'])) ||
    (type === 'task_update' && isTask(chunk));
  if (!valid) throw new SlackError('invalid_chunks');
  if ((str(chunk['text'])?.length ?? 0) > messageLimits.markdownText) throw new SlackError('msg_too_long');
}

type Given = { chunks: Block[]; mode: Stream['mode'] };

/** @throws SlackError as documented for `markdown_text` and `chunks` */
function readChunks(args: Args): Given {
  const markdown = text(args, 'markdown_text');
  const chunks = list(args, 'chunks', 'invalid_chunks') ?? [];
  if (markdown !== undefined && chunks.length > 0) throw new SlackError('cannot_provide_both_markdown_text_and_chunks');
  if ((markdown?.length ?? 0) > messageLimits.markdownText) throw new SlackError('msg_too_long');
  chunks.forEach(checkChunk);
  if (markdown === undefined) return { chunks, mode: chunks.length > 0 ? 'chunks' : undefined };
  return { chunks: [{ type: 'markdown_text', text: markdown }], mode: 'text' };
}

const bytes = (value: unknown): number => Buffer.byteLength(str(value) ?? '');

const sizeOfTask = (task: Block): number =>
  bytes(task['title']) + 2 * (bytes(plainOf(task['details'])) + bytes(plainOf(task['output'])));

function sizeOf(block: Block): number {
  if (block['type'] === 'markdown') return bytes(block['text']);
  if (block['type'] === 'task_card') return sizeOfTask(block);
  if (block['type'] !== 'plan') return 0;
  return (block['tasks'] as Block[]).reduce((sum, task) => sum + sizeOfTask(task), bytes(block['title']));
}

/** Pieces of text, tasks and blocks: each is a block of the message. */
const countOf = (blocks: Block[]): number =>
  blocks.reduce((sum, { type, tasks }) => sum + (type === 'plan' ? (tasks as Block[]).length : 1), 0);

const plainOf = (value: unknown): string => (isRecord(value) ? textOfBlocks([value]) : '');

/** Adds to the last piece of text, unless a task or a block stands after it. */
function appendText(message: Message, added: string): void {
  message.text += added;
  const last = message.blocks.at(-1);
  if (last?.['type'] === 'markdown') last['text'] = `${String(last['text'])}${added}`;
  else message.blocks.push({ type: 'markdown', block_id: `text-${message.blocks.length}`, text: added });
}

function planOf(message: Message): Block {
  const existing = message.blocks.find(({ type }) => type === 'plan');
  if (existing) return existing;
  const plan: Block = { type: 'plan', block_id: 'plan', title: '', tasks: [] };
  message.blocks.push(plan);
  return plan;
}

/** A chunk with the id of an earlier task replaces what it gives; details and output are added to what is there. */
function updateTask(message: Message, chunk: Block): void {
  const inPlan = message.stream?.displayMode === 'plan';
  const tasks = inPlan ? (planOf(message)['tasks'] as Block[]) : message.blocks;
  const known = tasks.find((task) => task['task_id'] === chunk['id']);
  const task: Block = known ?? { type: 'task_card', block_id: `task-${String(chunk['id'])}`, task_id: chunk['id'] };
  task['title'] = chunk['title'];
  task['status'] = chunk['status'];
  for (const name of ['details', 'output'] as const) {
    const added = str(chunk[name]);
    if (added !== undefined) task[name] = richText(`${plainOf(task[name])}${added}`);
  }
  if (chunk['sources'] !== undefined) task['sources'] = chunk['sources'];
  if (!known) tasks.push(task);
}

/** @throws SlackError for a mode that changes, and for limits of the message, which then stays as it was */
function append(message: Message, { chunks, mode }: Given): void {
  const { stream } = message;
  if (stream?.mode !== undefined && mode !== undefined && stream.mode !== mode)
    throw new SlackError('streaming_mode_mismatch');
  const before = { text: message.text, blocks: structuredClone(message.blocks) };
  for (const chunk of chunks) {
    if (chunk['type'] === 'markdown_text') appendText(message, str(chunk['text']) ?? '');
    else if (chunk['type'] === 'task_update') updateTask(message, chunk);
    else if (chunk['type'] === 'plan_update') planOf(message)['title'] = chunk['title'];
    else message.blocks.push(...withBlockIds(chunk['blocks'] as Block[]));
  }
  const size = message.blocks.reduce((sum, block) => sum + sizeOf(block), 0);
  const refusal =
    message.text !== '' && size > streamLimits.bytes
      ? 'msg_too_long'
      : countOf(message.blocks) > messageLimits.blocks
        ? 'msg_blocks_too_many'
        : undefined;
  if (refusal !== undefined) {
    Object.assign(message, before);
    throw new SlackError(refusal);
  }
  if (stream) stream.mode ??= mode;
}

/** @throws SlackError `invalid_blocks` for blocks in chunks */
function requireBlocks(chunks: Block[]): void {
  const added = chunks.flatMap((chunk) => (chunk['type'] === 'blocks' ? (chunk['blocks'] as Block[]) : []));
  if (added.length > messageLimits.blocks) throw new SlackError('msg_blocks_too_many');
  requireMessageBlocks(added);
}

const startStream: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const { state, workspace } = context;
    const channel = findChannelToPost(required(args, 'channel', 'channel_not_found'), context);
    if (channel.kind === 'mpim') throw new SlackError('channel_type_not_supported');
    const recipient = text(args, 'recipient_user_id');
    if (channel.kind !== 'im') {
      if (recipient === undefined) throw new SlackError('missing_recipient_user_id');
      if (text(args, 'recipient_team_id') === undefined) throw new SlackError('missing_recipient_team_id');
    }
    if (recipient !== undefined && !state.users.has(recipient)) throw new SlackError('user_not_found');
    const displayMode = text(args, 'task_display_mode') ?? 'timeline';
    if (!displayModes.includes(displayMode)) throw new SlackError('invalid_arguments');
    const threadTs = threadRoot(channel, required(args, 'thread_ts'));
    const given = readChunks(args);
    requireBlocks(given.chunks);
    const message: Message = state.newMessage(channel, {
      user: workspace.botUserId,
      botId: workspace.botId,
      threadTs,
      stream: {
        startedAt: state.clock.now(),
        state: 'in_progress',
        stoppedByUser: false,
        displayMode,
        mode: undefined,
        recipient,
      },
    });
    append(message, given);
    state.insertMessage(channel, message);
    clearStatus(context, channel, threadTs);
    context.events.message(message);
    return { channel: channel.id, ts: message.ts };
  },
};

/** @throws SlackError when the message is none of the app's, or its stream has ended */
function findStream(args: Args, context: Context): Message {
  const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
  const message = findOwnMessage(
    channel,
    required(args, 'ts', 'message_not_found'),
    'message_not_owned_by_app',
    context,
  );
  if (message.stream?.stoppedByUser) throw new SlackError('stopped_by_user');
  if (context.state.streamState(message) !== 'in_progress') throw new SlackError('message_not_in_streaming_state');
  return message;
}

const appendStream: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const message = findStream(args, context);
    const given = readChunks(args);
    if (given.chunks.length === 0) throw new SlackError('no_text');
    requireBlocks(given.chunks);
    append(message, given);
    context.state.recordVersion(message);
    return { channel: message.channel, ts: message.ts };
  },
};

const stopStream: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const { state } = context;
    const message = findStream(args, context);
    const given = readChunks(args);
    const blocks = list(args, 'blocks', 'invalid_blocks_format') ?? [];
    requireBlocks(given.chunks);
    if (blocks.length > messageLimits.blocks) throw new SlackError('msg_blocks_too_many');
    requireMessageBlocks(blocks);
    const session = text(args, 'session_status');
    if (session !== undefined && !sessionStates.includes(session)) throw new SlackError('invalid_arguments');
    const previous = apiMessage(state, message, context.url);
    append(message, given);
    message.blocks.push(...withBlockIds(blocks));
    message.metadata = record(args, 'metadata', 'invalid_metadata_format') ?? message.metadata;
    endStream(message, 'completed');
    state.recordVersion(message);
    context.events.messageChanged(message, previous);
    return { channel: message.channel, ts: message.ts, message: apiMessage(state, message, context.url) };
  },
};

export const streamMethods: Record<string, Method> = {
  'chat.startStream': startStream,
  'chat.appendStream': appendStream,
  'chat.stopStream': stopStream,
};
