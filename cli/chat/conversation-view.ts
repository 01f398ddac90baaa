import type { ConversationEvent, MessageOutcome, MessageState } from '../../contract/conversation.ts';
import { isLast } from '../client/follow-events.ts';
import { noteEnding } from '../task-ending.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { createTranscript, showEnding } from '../terminal/transcript.ts';

type Options = {
  isOwn: (messageId: string) => boolean;
  /** Also what others say here, and their answers. */
  all: boolean;
};
type Event<T extends ConversationEvent['type']> = Extract<ConversationEvent, { type: T }>;
type OfTask = Extract<ConversationEvent, { taskId: string }>;

/** Shows a conversation as it happens: its tasks as they are shown elsewhere, and a line about each message. */
export function createView(terminal: Terminal, { isOwn, all }: Options) {
  const said = new Map<string, { text: string; isKnown: boolean }>();
  const tasks = new Map<string, ReturnType<typeof watchTask>>();
  const shown = new Set<string>();
  let answers = 0;
  const note = (line: string) => terminal.note(line, 'dim');

  function watchTask({ taskId, at }: OfTask) {
    const transcript = createTranscript(terminal, { stream: terminal.isLive, taskId });
    return { transcript, begun: Date.parse(at) };
  }

  function showTask(event: OfTask) {
    const { taskId } = event;
    const task = tasks.get(taskId) ?? watchTask(event);
    tasks.set(taskId, task);
    if (!all && !shown.has(taskId)) return;
    const { transcript, begun } = task;
    // In a file nothing else tells one answer from the next.
    if (event.type === 'task.completed' && answers++ > 0 && !terminal.isLive) terminal.print();
    transcript.show(event);
    if (!isLast(event)) return;
    tasks.delete(taskId);
    noteEnding(terminal, event);
    const result = event.type === 'task.completed' ? { result: event.data.result } : {};
    const durationMs = Date.parse(event.at) - begun;
    showEnding(terminal, { ...result, usage: event.data.usage, durationMs, model: transcript.model() });
  }

  function showMessage({ messageId, text, outcome, taskId }: Event<'conversation.message'>['data']) {
    // Who typed it sees what is answered; a log would not say.
    said.set(messageId, { text, isKnown: all && outcome === 'started' });
    if (isOwn(messageId)) {
      if (taskId !== null) shown.add(taskId);
      const line = outcomeLines[outcome];
      if (line) terminal.note(all ? line : `“${short(text)}”: ${line}`);
    } else if (all) note(`“${text}” (said elsewhere: ${outcome.replaceAll('_', ' ')})`);
  }

  function showTurn({ messageId, state }: Event<'conversation.turn'>['data']) {
    const message = said.get(messageId);
    if (!message || !(all || isOwn(messageId))) return;
    if (state !== 'running') {
      const words = turnWords[state];
      if (words) note(`${words}: “${short(message.text)}”`);
    } else if (!message.isKnown) note(`“${short(message.text)}”`);
  }

  return {
    /** What a message says that came before the events that are shown. */
    remember: (id: string, text: string) => said.set(id, { text, isKnown: false }),

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
export type View = ReturnType<typeof createView>;

/** What became of a message when it came; nothing when its answer just begins. */
const outcomeLines: Record<MessageOutcome, string> = {
  started: '',
  queued: 'Queued: it is answered after what runs.',
  interrupted: 'What runs is interrupted; this is answered next.',
  rolled_back: 'What runs is taken back; this is answered next, as if that had never come.',
  steered: 'Given to the task that runs: it reads this before its next step.',
  rejected:
    'Rejected: a task runs. Say it again when that has ended; with --on-busy enqueue it would have waited its turn.',
};

/** What became of it later, where that is not plain to see. */
const turnWords: Partial<Record<MessageState, string>> = {
  queued: 'The task ended before it read this, which has a turn of its own now',
  passed_over: 'Passed over, because a later message came first',
  rolled_back: 'Taken back',
  dropped: 'Dropped, so it is not answered',
};

/** One line of it. */
export function short(text: string, width = 60): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= width ? line : `${line.slice(0, width - 1).toWellFormed()}…`;
}
