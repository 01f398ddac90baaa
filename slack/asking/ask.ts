import { v7 as uuidv7 } from 'uuid';
import { findAgent, type Agents } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { MessageRequest } from '../../contract/conversation.ts';
import type {
  Audit,
  ConversationControl,
  ConversationRows,
  Receipt,
  SlackFile,
  SlackFiles,
  SlackPosts,
  SlackThread,
  SlackThreads,
} from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { Scope } from '../../contract/references.ts';
import { mayUseAgent } from '../../contract/rules/agent-rights.ts';
import { withAttachedFiles } from '../../contract/rules/attached-files.ts';
import { agentSettings } from '../../runtime/agent-settings.ts';
import type { Config } from '../../runtime/config.ts';
import { filesReadLine, problemsOf } from '../files/file-words.ts';
import type { ReadFiles } from '../files/read-files.ts';
import type { WithoutPlace } from '../processing/attempt.ts';
import type { Notices } from './notices.ts';
import { isForAlfred, messageIdOf, type Question } from './question.ts';
import { slackSubject, type SlackPrincipals } from './slack-principals.ts';

export type AskDeps = {
  config: Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY' | 'SLACK_AGENT'>;
  agents: Agents;
  principals: SlackPrincipals;
  threads: SlackThreads;
  posts: Pick<SlackPosts, 'create'>;
  conversations: Pick<ConversationRows, 'create' | 'findMessage'>;
  messages: Pick<ConversationControl, 'submit'>;
  audit: Pick<Audit, 'check' | 'note'>;
  files: Pick<SlackFiles, 'take'>;
  readFiles: ReadFiles;
  notices: Notices;
  /** An answer is there to be shown. */
  onAsked: () => void;
};

const emptyQuestion = 'What is your question? Write it behind my name, or as a reply in this thread.';
const otherSubject =
  'This thread was begun under another sign-in, so I do not go on with it. Write a message outside of it, and we begin another one.';

/** What people read about a message that does not begin its own turn at once. */
const outcomeLines: Partial<Record<Receipt['outcome'], string>> = {
  queued: 'I answer this when I am done with the question before it.',
  steered: 'I take this into the answer that I am working on.',
  interrupted: 'I stop what I was doing and answer this.',
  rolled_back: 'I stop what I was doing, forget it, and answer this.',
  rejected: 'I am still working on the question before this one, so I did not take it. Ask again when I have answered.',
};

/**
 * Gives a message of a person to its conversation, when it is for Alfred: each one in a direct message, one that names
 * it in a channel, and one in a thread where it takes part. Safe to repeat.
 *
 * @throws AlfredError with what the person has to know, or `temporal_unavailable`
 */
export const createAsk =
  (deps: AskDeps) =>
  async (question: Question, withoutPlace: WithoutPlace = keepPlace) => {
    const { principals, threads, posts, messages, audit, notices, onAsked } = deps;
    const known = await threads.find(question);
    if (!isForAlfred(question, known !== undefined)) return;
    const judgement = await principals.judge(question);
    if ('ignored' in judgement) return;
    // A reply in a thread that names no one may be for its other people: no line comes to each of those.
    if ('refused' in judgement && !isForAlfred(question, false)) return;
    if ('refused' in judgement) return notices.send(question, judgement.refused);
    const { principal } = judgement;
    const agent = known?.agent ?? judgement.agent ?? deps.config.SLACK_AGENT;
    checkAgent(deps, principal, agent);
    const hasFiles = question.files.length > 0;
    if (question.text === '' && !hasFiles) return notices.send(question, emptyQuestion);
    if (known && !isOf(known, principal)) return notices.send(question, otherSubject);
    // Before files are read for it.
    if (question.text !== '') checkText(question.text);
    // While the log cannot be written, nothing is begun: the message waits.
    audit.check();
    const { conversationId, askers } =
      known ?? (await beginThread(deps, question, principal, { agent, instructions: judgement.instructions }));
    for (const asker of await askersOf(deps, question))
      if (!askers.includes(asker)) await threads.addAsker(question, asker);
    const read = hasFiles ? await withoutPlace(() => deps.readFiles(question, principal)) : [];
    if (question.text === '') return notices.send(question, filesReadLine(read));
    const message = await messageOf(deps, question);
    const receipt = await messages.submit(principal, conversationId, message);
    const { tenant, subject, kind, via } = principal;
    const resource = { type: 'conversation', id: conversationId };
    // In a channel the conversation is the channel's, and the entry names the person.
    const actor = question.isDirect ? subject : slackSubject(question.team, question.userId);
    audit.note({ tenant, subject: actor, kind, via, action: 'message.send', resource, outcome: 'ok' });
    const { team, channel, threadTs, userId, ts: questionTs } = question;
    const where = { team, channel, threadTs, userId, questionTs };
    for (const taskId of await findTasks(deps, principal, receipt))
      await posts.create({ id: uuidv7(), tenant, subject, taskId, agent, ...where });
    onAsked();
    // Last, and in one line: what fails before it is repeated, and the line would be too.
    const line = linesOf(receipt, read).join('\n');
    if (line !== '') await notices.send(question, line);
  };

const keepPlace: WithoutPlace = (work) => work();

/** A repeat gives the same: another text under the same id would be refused. */
async function messageOf({ files }: AskDeps, question: Question): Promise<{ id: string; text: string }> {
  const attached = await files.take(question);
  return { id: messageIdOf(question.ts), text: checkText(withAttachedFiles(question.text, attached)) };
}

function linesOf({ outcome }: Receipt, files: SlackFile[]): string[] {
  const line = outcomeLines[outcome];
  return [...(line === undefined ? [] : [line]), ...problemsOf(files)];
}

/** By what the person is known who asks: with four eyes another one must decide. */
async function askersOf({ principals }: AskDeps, { team, channel, userId }: Question): Promise<string[]> {
  const judgement = await principals.judge({ team, channel, userId, isDirect: true, isExternal: false });
  const subject = 'principal' in judgement ? judgement.principal.subject : undefined;
  return subject === undefined || subject === slackSubject(team, userId) ? [userId] : [userId, subject];
}

/** The tasks that may answer a message. */
async function findTasks({ conversations }: AskDeps, scope: Scope, receipt: Receipt): Promise<string[]> {
  const { id, conversationId, outcome, taskId } = receipt;
  if (taskId === null) return [];
  // The running task may end before it reads the message, which then has a turn of its own.
  const own = outcome === 'steered' ? await conversations.findMessage(scope, conversationId, id) : undefined;
  return own ? [taskId, own.taskId] : [taskId];
}

const isOf = (thread: SlackThread, { tenant, subject }: Principal) =>
  thread.tenant === tenant && thread.subject === subject;

/** @throws AlfredError `unknown_agent` */
function checkAgent({ config, agents }: AskDeps, { roles }: Principal, name: string): void {
  if (findAgent(agents, name) && mayUseAgent(roles, agentSettings(config, name).roles)) return;
  throw new AlfredError(
    'unknown_agent',
    `There is no agent "${name}" for you here. Whoever runs Alfred can change that (SLACK_AGENT, ALFRED_AGENTS; in a channel /alfred channel).`,
  );
}

/** @throws AlfredError `invalid_request` for a text that is too long */
function checkText(text: string): string {
  const parsed = MessageRequest.shape.text.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new AlfredError(
    'invalid_request',
    `Your message has ${text.length.toLocaleString('en')} characters, and I take 20,000. Send it in parts, or as a document.`,
  );
}

/** Makes the conversation of a thread. A repeat finds the same one. */
async function beginThread(
  { config, agents, conversations, threads }: AskDeps,
  question: Question,
  { tenant, subject }: Principal,
  { agent, instructions }: { agent: string; instructions: string | undefined },
): Promise<SlackThread> {
  const { team, channel, threadTs, ts, userId } = question;
  const onBusy = agentSettings(config, agent).onBusy ?? findAgent(agents, agent)?.onBusy ?? 'enqueue';
  const { id: conversationId } = await conversations.create(
    { tenant, subject },
    { agent, metadata: { slack_team: team, slack_channel: channel, slack_thread: threadTs } },
    { idempotencyKey: `slack:${team}:${channel}:${ts}`, onBusy, instructions },
  );
  return threads.insert({ team, channel, threadTs, tenant, subject, conversationId, agent, askers: [userId] });
}
