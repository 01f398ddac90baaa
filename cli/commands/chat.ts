import { Option, type Command } from 'commander';
import { AgentList } from '../../contract/agents.ts';
import { busyPolicies, type BusyPolicy, type Conversation } from '../../contract/conversation.ts';
import { createConversationView } from '../chat/conversation-view.ts';
import { runInteractiveChat } from '../chat/interactive-chat.ts';
import { loadRecentMessages, openConversation } from '../chat/open-conversation.ts';
import { sendLines } from '../chat/send-lines.ts';
import { createSession, type Session } from '../chat/session.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { oneLine } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';

type Options = { agent?: string; conversation?: string; onBusy?: BusyPolicy; json?: boolean };

export function addChat(program: Command, context: CommandContext) {
  program
    .command('chat')
    .description('talk with an agent, which knows the messages before')
    .argument('[question...]', 'what to say first')
    .option('-a, --agent <name>', 'which agent (see `alfred agents`); default: knowledge')
    .option('-c, --conversation <id>', 'go on with this one (see `alfred conversations`)')
    .addOption(
      new Option('--on-busy <policy>', 'what a message does that comes while a task runs').choices(busyPolicies),
    )
    .option('--json', 'print the events of the conversation, one JSON object a line')
    .addHelpText('after', '\nWhen standard input is no terminal, each of its lines is a message.')
    .action(async (words: string[], options: Options) => {
      process.exitCode = await chat(words.join(' ').trim(), options, context);
    });
}

async function chat(question: string, options: Options, { api, terminal }: CommandContext): Promise<number> {
  const { agent, onBusy, json } = options;
  const resumed =
    options.conversation === undefined ? undefined : await openConversation(api, options.conversation, agent);
  let output = terminal;
  const session = createSession({ api, terminal: () => output, agent, onBusy, resumed });
  if (resumed?.runningTaskId) session.pendingReplies.markRunning(resumed.runningTaskId);
  const isInteractive = process.stdin.isTTY && terminal.isLiveStatus && !json;
  try {
    if (!isInteractive) return await chatByLines(session, question, resumed, { terminal, json: json === true });
    // Ask the server before the prompt is shown: it may not run, and a resumed conversation has messages to show.
    const recent = resumed ? await loadRecentMessages(api, resumed) : undefined;
    if (!resumed) await api.call('/v1/agents', { answer: AgentList });
    const onTerminal = (promptTerminal: Terminal) => {
      output = promptTerminal;
    };
    await runInteractiveChat({ session, terminal, question, recent, onTerminal });
    return exitCodes.ok;
  } finally {
    for (const text of session.leave()) terminal.note(`Perhaps not sent: “${oneLine(text)}”`);
    const conversation = session.conversation();
    const busyNote = session.pendingReplies.isBusy() ? 'What runs goes on. ' : '';
    if (conversation) terminal.note(`\n${busyNote}Back to the conversation: alfred chat -c ${conversation.id}`, 'dim');
  }
}

/** Standard input, standard output or both belong to a program: each line of the input is a message. */
async function chatByLines(
  session: Session,
  question: string,
  resumed: Conversation | undefined,
  { terminal, json }: Pick<CommandContext, 'terminal'> & { json: boolean },
): Promise<number> {
  const view = createConversationView(terminal, { isOwn: session.pendingReplies.isOwn, all: false });
  const deleted = session
    .follow(resumed?.lastSeq ?? 0, (event) => (json ? terminal.print(JSON.stringify(event)) : view.show(event)))
    .then(() => exitCodes.failed);
  if (question) void session.send(question);
  const code = await Promise.race([deleted, sendLines(session, process.stdin, terminal)]);
  if (session.pendingReplies.hasSentNothing())
    throw usageError('There is no message. Write it behind the command, or a message a line.');
  return code;
}
