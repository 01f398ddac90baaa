import { Option, type Command } from 'commander';
import { AgentList } from '../../contract/agents.ts';
import { busyPolicies, type BusyPolicy, type Conversation } from '../../contract/conversation.ts';
import { lookBackAt, openConversation } from '../chat/open-conversation.ts';
import { readLines } from '../chat/send-lines.ts';
import { createSession, type Session } from '../chat/session.ts';
import { talk } from '../chat/interactive-chat.ts';
import { createView, short } from '../chat/conversation-view.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { Context } from '../command-context.ts';

type Options = { agent?: string; conversation?: string; onBusy?: BusyPolicy; json?: boolean };

export function addChat(program: Command, context: Context) {
  program
    .command('chat')
    .description('talk with an agent, which knows what was said before')
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

async function chat(question: string, options: Options, { api, terminal }: Context): Promise<number> {
  const { agent, onBusy, json } = options;
  const found =
    options.conversation === undefined ? undefined : await openConversation(api, options.conversation, agent);
  let shared = terminal;
  const session = createSession({ api, terminal: () => shared, agent, onBusy, found });
  if (found?.runningTaskId) session.awaited.ran(found.runningTaskId);
  const isInteractive = process.stdin.isTTY && terminal.isLiveStatus && !json;
  try {
    if (!isInteractive) return await listen(session, question, found, { terminal, json: json === true });
    // Before the first word, not after it: whether anybody is there, and what the past was.
    const past = found ? await lookBackAt(api, found) : undefined;
    if (!found) await api.call('/v1/agents', { answer: AgentList });
    await talk({ session, terminal, question, past, share: (one) => (shared = one) });
    return exitCodes.ok;
  } finally {
    for (const text of session.leave()) terminal.note(`Perhaps not sent: “${short(text)}”`);
    const conversation = session.conversation();
    const goesOn = session.awaited.isBusy() ? 'What runs goes on. ' : '';
    if (conversation) terminal.note(`\n${goesOn}Back to the conversation: alfred chat -c ${conversation.id}`, 'dim');
  }
}

/** Programs at both ends, or at one of them. */
async function listen(
  session: Session,
  question: string,
  found: Conversation | undefined,
  { terminal, json }: Pick<Context, 'terminal'> & { json: boolean },
): Promise<number> {
  const view = createView(terminal, { isOwn: session.awaited.isOwn, all: false });
  const followed = session
    .follow(found?.lastSeq ?? 0, (event) => (json ? terminal.print(JSON.stringify(event)) : view.show(event)))
    .then(() => exitCodes.failed);
  if (question) void session.say(question);
  const code = await Promise.race([followed, readLines(session, process.stdin, terminal)]);
  if (session.awaited.isNothing())
    throw usageError('Nothing was said. Write it behind the command, or a message a line.');
  return code;
}
