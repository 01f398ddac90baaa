import type { ConversationMessage } from '../../contract/conversation.ts';
import { oneLine } from '../terminal/format.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { createConversationView, type ConversationView } from './conversation-view.ts';
import { createPrompt } from './prompt.ts';
import type { Session } from './session.ts';

type Options = {
  session: Session;
  terminal: Terminal;
  /** Sent first; may be empty. */
  question: string;
  /** Of a conversation that is continued: its latest messages, and the event after which to follow it. */
  recent: { messages: ConversationMessage[]; after: number } | undefined;
  /** Called once with the prompt's terminal. All output goes to it from then on. */
  onTerminal: (terminal: Terminal) => void;
};

/** A person types at a prompt. Ends when the person leaves, or when the conversation is deleted. */
export async function runInteractiveChat({ session, terminal, question, recent, onTerminal }: Options) {
  const leaving = Promise.withResolvers<void>();
  let interrupts = 0;
  const prompt = createPrompt({
    input: process.stdin,
    screen: process.stderr,
    terminal,
    isBusy: session.pendingReplies.isBusy,
    onLine: (line) => {
      interrupts = 0;
      if (line.trim() !== '') void session.send(line).then(prompt.refresh);
    },
    onInterrupt: () => {
      if (interrupts++ > 0) return leaving.resolve();
      if (!session.pendingReplies.isBusy()) return output.note('Ctrl-C again leaves, and so does Ctrl-D.', 'dim');
      output.note('Stopping what runs … (Ctrl-C again leaves, and it goes on)', 'dim');
      void session.stop().then((stopped) => {
        interrupts = 0;
        if (stopped?.stoppedTaskId === null && stopped.dropped.length === 0) output.note('Nothing ran.', 'dim');
      });
    },
    onClose: leaving.resolve,
  });
  const output = prompt.terminal;
  onTerminal(output);
  const view = createConversationView(output, { isOwn: session.pendingReplies.isOwn, all: true });
  // The editor reads Ctrl-C as a key. These are signals of other processes.
  const stopWatching = onInterrupt(leaving.resolve, leaving.resolve);
  try {
    if (recent) showRecent(recent.messages, view, output);
    output.note('Ctrl-C stops what runs, Ctrl-D leaves. You may type while an answer comes.', 'dim');
    if (question) {
      output.note(`> ${question}`);
      void session.send(question).then(prompt.refresh);
    }
    prompt.refresh();
    const deleted = session.follow(recent?.after ?? 0, (event) => {
      view.show(event);
      prompt.refresh();
    });
    await Promise.race([leaving.promise, session.failure, deleted]);
  } finally {
    stopWatching();
    prompt.close();
  }
}

/** Prints the last answer with its question. */
function showRecent(messages: ConversationMessage[], view: ConversationView, terminal: Terminal) {
  for (const { id, role, text } of messages) if (role === 'user') view.addMessage(id, text);
  const answer = messages.findLast(({ role }) => role === 'assistant');
  const question = messages.findLast(({ role, position }) => role === 'user' && position === answer?.position);
  if (!answer || !question) return;
  terminal.note(`> ${oneLine(question.text, terminal.columns - 2)}`, 'dim');
  terminal.print(`${answer.text}\n`);
}
