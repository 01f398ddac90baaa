import type { Command } from 'commander';
import { z } from 'zod';
import {
  Conversation,
  ConversationList,
  MessageList,
  StopReceipt,
  type ConversationMessage,
} from '../../contract/conversation.ts';
import { conversationPath } from '../chat/message-sender.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, formatMinute, formatSecond, oneLine } from '../terminal/format.ts';
import { table, wrap } from '../terminal/terminal.ts';
import { addShare } from './share.ts';
import { addListOptions, noteMore, readPages, type ListOptions, ofOption, type OfOption } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type ConversationListOptions = ListOptions & OfOption & { agent?: string; archived?: boolean };
type ShowOptions = { limit: number; before?: number; json?: boolean };
type StopOptions = { keep?: boolean; reason?: string; undo?: boolean; json?: boolean };
type ArchiveOptions = { undo?: boolean; json?: boolean };

export function addConversations(program: Command, context: CommandContext) {
  const conversations = program.command('conversations').description('conversations between people and agents');
  addListOptions(conversations.command('list', { isDefault: true }).description('newest first'), { usual: 20 })
    .option('-a, --agent <name>', 'with this agent only')
    .option('--archived', 'those that were put away')
    .addOption(ofOption('own', 'shared'))
    .action((options: ConversationListOptions) => list(options, context));
  conversations
    .command('show')
    .description('one conversation: its messages and answers, the newest last')
    .argument('<id>')
    .option('-n, --limit <number>', 'how many messages, up to 200; their answers come with them', Number, 50)
    .option('--before <number>', 'only messages before this one', wholeNumber({ from: 1, like: 51 }))
    .option('--json', 'as JSON')
    .action((id: string, options: ShowOptions) => show(id, options, context));
  conversations
    .command('stop')
    .description('cancel what runs, and drop what waits; safe to repeat')
    .argument('<id>')
    .option('--keep', 'go on with what waits')
    .option('-r, --reason <text>', 'kept with the task')
    .option('--undo', 'take back what the task has changed, newest first')
    .option('--json', 'as JSON')
    .action((id: string, options: StopOptions) => stop(id, options, context));
  conversations
    .command('archive')
    .description('put it away: it takes no messages and is not listed')
    .argument('<id>')
    .option('--undo', 'take it back')
    .option('--json', 'as JSON')
    .action((id: string, options: ArchiveOptions) => archive(id, options, context));
  addShare(conversations, context, conversationPath);
  conversations
    .command('remove')
    .alias('delete')
    .description('cancel what runs, and remove all messages and answers')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => remove(id, options, context));
}

async function list({ agent, archived, of, ...options }: ConversationListOptions, { api, terminal }: CommandContext) {
  const { items: conversations, nextCursor } = await readPages(options, {
    usual: 20,
    pageSize: 200,
    async read(page) {
      const query = {
        agent,
        archived: archived ? 'true' : undefined,
        of,
        ...page,
      };
      const answer = await api.call('/v1/conversations', { query, answer: ConversationList });
      return { ...answer, items: answer.conversations };
    },
  });
  if (options.json) return terminal.printJson({ conversations, nextCursor });
  if (conversations.length === 0)
    return terminal.note(archived || of === 'shared' ? 'There are none.' : 'No conversations. Begin one: alfred chat');
  terminal.print(table([['ID', 'TITLE', 'AGENT', 'MESSAGES', 'STATE', 'UPDATED'], ...conversations.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = (conversation: Conversation) => [
  conversation.id,
  oneLine(conversation.title ?? '', 40),
  conversation.agent,
  String(conversation.messages),
  stateOf(conversation),
  formatMinute(conversation.updatedAt),
];

/** `running, 2 queued` */
const stateOf = ({ archived, runningTaskId, queued }: Conversation) =>
  [archived && 'archived', runningTaskId !== null && 'running', queued > 0 && `${queued} queued`]
    .filter(Boolean)
    .join(', ');

async function show(id: string, { json, ...query }: ShowOptions, { api, terminal }: CommandContext) {
  const conversation = await api.call(conversationPath(id), { answer: Conversation });
  const page = await api.call(`${conversationPath(id)}/messages`, { query, answer: MessageList });
  if (json) return terminal.printJson({ conversation, ...page });
  terminal.print(
    table([
      ['conversation', conversation.id],
      ['title', conversation.title ?? ''],
      ['agent', conversation.agent],
      ['state', stateOf(conversation) || 'nothing runs'],
      ['while busy', conversation.onBusy],
      ['updated', conversation.updatedAt],
      ['temporal', conversation.links.temporal],
    ]),
  );
  const first = page.messages[0];
  if (page.hasMore && first) terminal.note(`\nThere are more: --before ${first.position} shows those before.`, 'dim');
  for (const message of page.messages) {
    terminal.print();
    terminal.printStyled('dim', messageHeader(message));
    terminal.print(
      message.text
        .split('\n')
        .map((line) => wrap(line, terminal.columns))
        .join('\n'),
    );
  }
}

/** The line above a message: its position, time and state. */
function messageHeader({ role, position, state, taskStatus, taskId, createdAt }: ConversationMessage): string {
  const at = formatSecond(createdAt);
  if (role === 'assistant') return `answer · ${at} · task ${taskId}`;
  // The state is `done` however the task ended: show the status of a task that has no answer.
  const shownState = taskStatus === 'failed' || taskStatus === 'cancelled' ? taskStatus : state;
  const task = shownState === 'failed' || shownState === 'cancelled' ? ` · task ${taskId}` : '';
  return `${position} · ${at} · ${shownState.replaceAll('_', ' ')}${task}`;
}

async function stop(id: string, { keep, reason, undo, json }: StopOptions, { api, terminal }: CommandContext) {
  const stopped = await api.call(`${conversationPath(id)}/stop`, {
    method: 'POST',
    json: { reason, undo, ...(keep ? { queued: 'keep' } : {}) },
    answer: StopReceipt,
  });
  if (json) return terminal.printJson(stopped);
  const { stoppedTaskId, dropped } = stopped;
  terminal.print(stoppedTaskId === null ? 'Nothing ran.' : `The task ${stoppedTaskId} is being cancelled.`);
  if (dropped.length > 0)
    terminal.print(`${formatCount(dropped.length, 'message')} that waited will not be answered: ${dropped.join(', ')}`);
}

async function archive(id: string, { undo, json }: ArchiveOptions, { api, terminal }: CommandContext) {
  const conversation = await api.call(conversationPath(id), {
    method: 'PATCH',
    json: { archived: !undo },
    answer: Conversation,
  });
  if (json) return terminal.printJson(conversation);
  terminal.print(
    conversation.archived
      ? `The conversation is archived. Take it back: alfred conversations archive --undo ${id}`
      : 'The conversation takes messages again.',
  );
}

async function remove(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  await api.call(conversationPath(id), { method: 'DELETE', answer: z.undefined() });
  if (json) return terminal.printJson({ id, deleted: true });
  terminal.print('The conversation is deleted.');
}
