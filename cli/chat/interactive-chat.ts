import type { ConversationMessage } from '../../contract/conversation.ts';
import type { Context } from '../command-context.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { createPrompt } from './prompt.ts';
import type { Session } from './session.ts';
import { createView, short, type View } from './conversation-view.ts';

type Options = {
  session: Session;
  terminal: Context['terminal'];
  /** Said first. */
  question: string;
  /** What was said before, and the event to follow it from. */
  past: { messages: ConversationMessage[]; after: number } | undefined;
  /** Called with the terminal that all goes to from then on. */
  share: (terminal: Context['terminal']) => void;
};

/** A person at a prompt. Ends when they leave, or the conversation is deleted. */
export async function talk({ session, terminal, question, past, share }: Options) {
  const left = Promise.withResolvers<void>();
  let interrupts = 0;
  const prompt = createPrompt({
    ...{ input: process.stdin, screen: process.stderr, terminal },
    isBusy: session.awaited.isBusy,
    onLine: (line) => {
      interrupts = 0;
      if (line.trim() !== '') void session.say(line).then(prompt.settle);
    },
    onInterrupt: () => {
      if (interrupts++ > 0) return left.resolve();
      if (!session.awaited.isBusy()) return shared.note('Ctrl-C again leaves, and so does Ctrl-D.', 'dim');
      shared.note('Stopping what runs … (Ctrl-C again leaves, and it goes on)', 'dim');
      void session.stop().then((stopped) => {
        interrupts = 0;
        if (stopped?.stoppedTaskId === null && stopped.dropped.length === 0) shared.note('Nothing ran.', 'dim');
      });
    },
    onClose: left.resolve,
  });
  const shared = prompt.terminal;
  share(shared);
  const view = createView(shared, { isOwn: session.awaited.isOwn, all: true });
  // Signals that no key sent.
  const stopWatching = onInterrupt(left.resolve, left.resolve);
  try {
    if (past) showPast(past.messages, view, shared);
    shared.note('Ctrl-C stops what runs, Ctrl-D leaves. You may type while an answer comes.', 'dim');
    if (question) {
      shared.note(`> ${question}`);
      void session.say(question).then(prompt.settle);
    }
    prompt.settle();
    const followed = session.follow(past?.after ?? 0, (event) => {
      view.show(event);
      prompt.settle();
    });
    await Promise.race([left.promise, session.broken, followed]);
  } finally {
    stopWatching();
    prompt.close();
  }
}

/** The last question that has an answer, and the answer. */
function showPast(messages: ConversationMessage[], view: View, terminal: Context['terminal']) {
  for (const { id, role, text } of messages) if (role === 'user') view.remember(id, text);
  const answer = messages.findLast(({ role }) => role === 'assistant');
  const asked = messages.findLast(({ role, position }) => role === 'user' && position === answer?.position);
  if (!answer || !asked) return;
  terminal.note(`> ${short(asked.text, terminal.columns - 2)}`, 'dim');
  terminal.print(`${answer.text}\n`);
}
