import type { ConversationEvent, MessageOutcome, MessageState } from '../../contract/conversation.ts';
import { isTerminalEvent } from '../../contract/events.ts';
import { printFailureReason } from '../task-ending.ts';
import { oneLine } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { printSourcesAndCost } from '../terminal/task-summary.ts';
import { createTranscript } from '../terminal/transcript.ts';

type Options = {
  /** Whether this command has sent the message. */
  isOwn: (messageId: string) => boolean;
  /** Show also the messages of other users and programs, and their answers. */
  all: boolean;
};
type Event<T extends ConversationEvent['type']> = Extract<ConversationEvent, { type: T }>;
type EventOfTask = Extract<ConversationEvent, { taskId: string }>;

/** Shows a conversation while it happens: each task as a transcript, and a line about each message. */
export function createConversationView(terminal: Terminal, { isOwn, all }: Options) {
  /** By message id. `isVisible`: the person has typed it and sees it on the screen. */
  const messages = new Map<string, { text: string; isVisible: boolean }>();
  const tasks = new Map<string, ReturnType<typeof createTask>>();
  const tasksOfOwnMessages = new Set<string>();
  let answers = 0;
  const note = (line: string) => terminal.note(line, 'dim');

  function createTask({ taskId, at }: EventOfTask) {
    const transcript = createTranscript(terminal, { stream: terminal.isLive, taskId });
    return { transcript, startedAtMs: Date.parse(at) };
  }

  function showTask(event: EventOfTask) {
    const { taskId } = event;
    const task = tasks.get(taskId) ?? createTask(event);
    tasks.set(taskId, task);
    if (!all && !tasksOfOwnMessages.has(taskId)) return;
    const { transcript, startedAtMs } = task;
    // In a file, an empty line separates the answers.
    const hasResult = event.type === 'task.completed' || event.type === 'task.incomplete';
    if (hasResult && answers++ > 0 && !terminal.isLive) terminal.print();
    transcript.show(event);
    if (!isTerminalEvent(event)) return;
    tasks.delete(taskId);
    printFailureReason(terminal, event);
    const result = 'result' in event.data ? { result: event.data.result } : {};
    const durationMs = Date.parse(event.at) - startedAtMs;
    printSourcesAndCost(terminal, { ...result, usage: event.data.usage, durationMs, model: transcript.model() });
  }

  function showMessage({ messageId, text, outcome, taskId }: Event<'conversation.message'>['data']) {
    messages.set(messageId, { text, isVisible: all && outcome === 'started' });
    if (isOwn(messageId)) {
      if (taskId !== null) tasksOfOwnMessages.add(taskId);
      const line = outcomeLines[outcome];
      if (line) terminal.note(all ? line : `“${oneLine(text)}”: ${line}`);
    } else if (all) note(`“${text}” (sent elsewhere: ${outcome.replaceAll('_', ' ')})`);
  }

  function showTurn({ messageId, state }: Event<'conversation.turn'>['data']) {
    const message = messages.get(messageId);
    if (!message || !(all || isOwn(messageId))) return;
    if (state !== 'running') {
      const line = turnLines[state];
      if (line) note(`${line}: “${oneLine(message.text)}”`);
    } else if (!message.isVisible) note(`“${oneLine(message.text)}”`);
  }

  return {
    /** Adds the text of a message whose event is older than the events that are shown. */
    addMessage: (id: string, text: string) => messages.set(id, { text, isVisible: false }),

    show(event: ConversationEvent) {
      if ('taskId' in event) return showTask(event);
      switch (event.type) {
        case 'conversation.message':
          return showMessage(event.data);
        case 'conversation.turn':
          return showTurn(event.data);
        case 'conversation.stopped':
          return note('Stopped.');
        case 'conversation.changed':
          return event.data.archived ? note('The conversation was archived: it takes no messages.') : undefined;
        case 'conversation.deleted':
          return terminal.note('The conversation was deleted.');
      }
    },
  };
}
export type ConversationView = ReturnType<typeof createConversationView>;

/** What the server did with a message when it arrived. `started` needs no line: its answer follows. */
const outcomeLines: Record<MessageOutcome, string> = {
  started: '',
  queued: 'Queued: it is answered after what runs.',
  interrupted: 'What runs is interrupted; this is answered next.',
  rolled_back: 'What runs is taken back; this is answered next, as if that had never come.',
  steered: 'Given to the task that runs: it reads this before its next step.',
  rejected:
    'Rejected: a task runs. Say it again when that has ended; with --on-busy enqueue it would have waited its turn.',
};

/** Later changes of a message's state that the transcript does not show. */
const turnLines: Partial<Record<MessageState, string>> = {
  queued: 'The task ended before it read this, which has a turn of its own now',
  passed_over: 'Passed over, because a later message came first',
  rolled_back: 'Taken back',
  dropped: 'Dropped, so it is not answered',
};
