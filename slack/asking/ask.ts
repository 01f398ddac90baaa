import { v7 as uuidv7 } from 'uuid';
import { findAgent, type Agents } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { MessageText } from '../../contract/conversation.ts';
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
  Tenants,
} from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { TaskInput } from '../../contract/task.ts';
import type { Scope } from '../../contract/references.ts';
import { withAttachedFiles } from '../../contract/rules/attached-files.ts';
import { withThreadAbove } from '../../contract/rules/thread-above.ts';
import { readAgentInTenant } from '../../runtime/agent-in-tenant.ts';
import { agentSettings } from '../../runtime/agent-settings.ts';
import type { Config } from '../../runtime/config.ts';
import { filesReadLine, problemsOf } from '../files/file-words.ts';
import type { ReadFiles } from '../files/read-files.ts';
import type { DeliveryWork } from '../processing/delivery-work.ts';
import type { Admit } from './admit.ts';
import type { Notices } from './notices.ts';
import { linkNotice } from './link-words.ts';
import { isForAlfred, messageIdOf, tookPart, type Question } from './question.ts';
import { readAsked } from './read-asked.ts';
import type { FoundAbove, ReadThread } from './read-thread.ts';
import { slackSubject, type SlackPrincipals } from './slack-principals.ts';

export type AskDeps = {
  config: Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY' | 'SLACK_AGENT'>;
  agents: Agents;
  tenants: Pick<Tenants, 'find'>;
  principals: SlackPrincipals;
  threads: SlackThreads;
  posts: Pick<SlackPosts, 'create'>;
  conversations: Pick<ConversationRows, 'create' | 'findMessage'>;
  messages: Pick<ConversationControl, 'submit'>;
  audit: Pick<Audit, 'check' | 'note'>;
  files: Pick<SlackFiles, 'giveBack' | 'take'>;
  readFiles: ReadFiles;
  readThread: ReadThread;
  admit: Admit;
  notices: Notices;
  /** An answer is there to be shown. */
  onAsked: () => void;
};

/** What a message may have, in UTF-16 code units. */
const longestText = 20_000;

const emptyQuestion = 'What is your question? Write it behind my name, or as a reply in this thread.';
const otherSubject =
  'This thread was begun under another sign-in, so I do not go on with it. Write a message outside of it, and we begin another one.';

const changedMeanwhile =
  'What you may do here has changed while I read your files, so I did not take your message. Send it again.';

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
 * it in a channel, and one in a thread where it takes part. The first one in a thread of others goes with what stands
 * above it. Safe to repeat.
 *
 * @param work the delivery that brought it; absent for a question that Alfred has posted for a person
 * @throws AlfredError with what the person has to know, or `temporal_unavailable`
 */
export const createAsk = (deps: AskDeps) => async (question: Question, work?: DeliveryWork) => {
  const { principals, threads, posts, messages, audit, notices, onAsked } = deps;
  const known = await threads.find(question);
  if (!isForAlfred(question, tookPart(question, known))) return;
  const judgement = await principals.judge(question);
  if ('ignored' in judgement) return;
  // A reply in a thread that names no one may be for its other people: no line comes to each of those.
  if ('refused' in judgement && !isForAlfred(question, false)) return;
  if ('refused' in judgement) return notices.send(question, judgement.refused);
  let { principal } = judgement;
  const agent = known?.agent ?? question.agent ?? judgement.agent ?? deps.config.SLACK_AGENT;
  await checkAgent(deps, principal, agent);
  const hasFiles = question.files.length > 0;
  if (question.text === '' && !hasFiles) return notices.send(question, emptyQuestion);
  const notice = linkNotice(judgement.link);
  if (known && !isOf(known, principal)) return notices.send(question, withNotice(otherSubject, notice));
  // Before files are read for it.
  if (question.text !== '') read(deps, agent, question);
  const person = await personOf(deps, question, principal);
  const refusal = await refusalOf(deps, question, person, work);
  if (refusal !== undefined) return notices.send(question, refusal);
  // While the log cannot be written, nothing is begun: the message waits.
  audit.check();
  const found = await findAbove(deps, question, known, work);
  const { conversationId, askers } =
    known ?? (await beginThread(deps, question, principal, { agent, instructions: judgement.instructions }));
  for (const asker of askersOf(question, person)) if (!askers.includes(asker)) await threads.addAsker(question, asker);
  let readFiles: SlackFile[] = [];
  if (hasFiles) {
    const withoutPlace = work?.withoutPlace ?? keepPlace;
    const reader = principal;
    readFiles = await withoutPlace(() => deps.readFiles(question, reader));
    // That takes minutes, in which the person may have lost what it had.
    const asker = await judgeAgain(deps, question, reader);
    if (!asker) return;
    principal = asker;
  }
  if (question.text === '') return notices.send(question, filesReadLine(readFiles));
  const message = await messageOf(deps, agent, question, found);
  const receipt = await messages.submit(principal, conversationId, message);
  if (receipt.outcome === 'rejected') await deps.files.giveBack(question);
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
  const line = withNotice(linesOf(receipt, readFiles, found).join('\n'), known ? undefined : notice);
  if (line !== '') await notices.send(question, line);
};

const keepPlace: DeliveryWork['withoutPlace'] = (work) => work();

/** @returns undefined when it may not ask any more, or as another subject: it has read why */
async function judgeAgain(
  { principals, notices }: AskDeps,
  question: Question,
  { tenant, subject }: Principal,
): Promise<Principal | undefined> {
  const judgement = await principals.judge(question);
  if ('ignored' in judgement) return undefined;
  const isSame =
    'principal' in judgement && judgement.principal.tenant === tenant && judgement.principal.subject === subject;
  if (isSame) return judgement.principal;
  await notices.send(question, 'refused' in judgement ? judgement.refused : changedMeanwhile);
  return undefined;
}

/**
 * A repeat gives the same: another text under the same id would be refused.
 *
 * @throws AlfredError `invalid_request` for a text that is too long
 */
async function messageOf(
  deps: AskDeps,
  agent: string,
  question: Question,
  { above }: FoundAbove,
): Promise<{ id: string } & TaskInput> {
  const asked = read(deps, agent, question);
  const attached = await deps.files.take(question);
  try {
    const words = checkText(withAttachedFiles(asked.text, attached));
    return { ...asked, id: messageIdOf(question.ts), text: withThreadAbove(words, above, longestText) };
  } catch (error) {
    await deps.files.giveBack(question);
    throw error;
  }
}

/** @throws AlfredError `invalid_request` */
function read({ agents }: AskDeps, name: string, { text }: Question): TaskInput {
  const agent = findAgent(agents, name);
  return agent ? readAsked(name, agent, checkText(text)) : { text };
}

/** Who the person is that asks: in a channel Alfred acts for the channel. */
async function personOf(
  { principals }: AskDeps,
  { team, channel, userId, isDirect }: Question,
  principal: Principal,
): Promise<Scope> {
  if (isDirect) return principal;
  const judgement = await principals.judge({ team, channel, userId, isDirect: true, isExternal: false });
  return 'principal' in judgement ? judgement.principal : { ...principal, subject: slackSubject(team, userId) };
}

/** Why a person has to wait who asks too much. A repeat is no other question. */
async function refusalOf({ admit }: AskDeps, { text, files }: Question, person: Scope, work?: DeliveryWork) {
  if (work?.attempts !== 1) return undefined;
  const kinds = [...(text === '' ? [] : ['starts' as const]), ...(files.length === 0 ? [] : ['uploads' as const])];
  return admit(person, kinds);
}

/** What stands above a question in a thread that Alfred takes no part in yet. A repeat finds the same. */
async function findAbove(
  { readThread }: AskDeps,
  question: Question,
  known: SlackThread | undefined,
  work: DeliveryWork | undefined,
): Promise<FoundAbove> {
  if (work?.kept) return work.kept as FoundAbove;
  const beginsThread = question.ts === question.threadTs;
  if (!work || known || question.isDirect || beginsThread || question.text === '') return { above: [], problem: null };
  const found = await work.withoutPlace(() => readThread(question, work.attempts));
  return (await work.keep(found)) as FoundAbove;
}

function linesOf({ outcome }: Receipt, files: SlackFile[], { problem }: FoundAbove): string[] {
  const line = outcomeLines[outcome];
  return [...(line === undefined ? [] : [line]), ...(problem === null ? [] : [problem]), ...problemsOf(files)];
}

const withNotice = (line: string, notice: string | undefined) =>
  [line, notice].filter((one) => one !== undefined && one !== '').join('\n');

/** By what the person is known who asks: with four eyes another one must decide. */
const askersOf = ({ team, userId }: Question, { subject }: Scope): string[] =>
  subject === slackSubject(team, userId) ? [userId] : [userId, subject];

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
async function checkAgent(deps: AskDeps, { tenant, roles }: Principal, name: string): Promise<void> {
  if (findAgent(deps.agents, name) && (await readAgentInTenant(deps, tenant, name)).mayBeUsedWith(roles)) return;
  throw new AlfredError(
    'unknown_agent',
    `There is no agent "${name}" for you here. Whoever runs Alfred can change that (SLACK_AGENT, ALFRED_AGENTS; in a channel /alfred channel).`,
  );
}

/** @throws AlfredError `invalid_request` for a text that is too long */
function checkText(text: string): string {
  const parsed = MessageText.safeParse(text);
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
  const place = { team, channel, threadTs };
  return threads.insert({ ...place, tenant, subject, conversationId, agent, askers: [userId], begunTs: ts });
}
