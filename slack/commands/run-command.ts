import { findAgent, type Agents } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Documents, Ledger, SearchIndex, Tenants } from '../../contract/ports/index.ts';
import type { CostlyKind } from '../../contract/rules/request-limits.ts';
import { agentInTenant } from '../../runtime/agent-in-tenant.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ReadinessProbe } from '../../runtime/readiness.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import type { Admit } from '../asking/admit.ts';
import { describeLink } from '../asking/link-words.ts';
import { plainTextOf } from '../asking/plain-text.ts';
import type { SlackPrincipals } from '../asking/slack-principals.ts';
import { attemptsBeforeNotice, commandFailed, mayPass } from '../failures.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { decideHint, moreApprovals, readApprovals, type ApprovalDeps } from './approval-lines.ts';
import type { SlackCommand } from './command.ts';
import { helpMessage, isCommandName, type CommandName } from './command-list.ts';
import { addsContacts } from './contact-command.ts';
import { createDocumentCommand } from './document-lines.ts';
import { healthMessage } from './health-lines.ts';
import { linesMessage } from './lines-message.ts';
import type { Replies } from './replies.ts';
import { createTaskCommands, type CommandSender, type TaskCommandDeps } from './task-commands.ts';
import { readUsage, usageNote } from './usage-lines.ts';

type CommandDeps = ApprovalDeps &
  TaskCommandDeps & {
    config: Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY'>;
    agents: Agents;
    tenants: Pick<Tenants, 'find'>;
    principals: SlackPrincipals;
    admit: Admit;
    ledger: Pick<Ledger, 'reportUsage'>;
    documents: Pick<Documents, 'list'>;
    index: Pick<SearchIndex, 'search'>;
    readiness: Pick<ReadinessProbe, 'read'>;
    replies: Replies;
    /** @returns what the person alone reads */
    ask: (command: SlackCommand, attempts: number) => Promise<string | undefined>;
    channel: (sender: CommandSender & { channel: string }, rest: string) => Promise<SlackMessage>;
    contacts: (sender: CommandSender & { key: string }, rest: string) => Promise<SlackMessage>;
    link: (sender: CommandSender, rest: string) => Promise<SlackMessage>;
    unlink: (sender: CommandSender) => Promise<SlackMessage>;
    log: Pick<Logger, 'error' | 'warn'>;
  };

/** These change something, so they are repeated until what they need is back. The others answer that it is away. */
const repeated: ReadonlySet<CommandName> = new Set(['ask', 'cancel', 'contacts']);

const waits = 'Something that I need does not answer at the moment. I do this when it is back.';
const away = 'Something that I need does not answer at the moment. Try it again soon.';

/**
 * Runs slash commands, each with the rights of the person who wrote it. Answers are seen by that person alone.
 *
 * @throws what may pass, for a command that is repeated then
 */
export function createCommands(deps: CommandDeps) {
  const { principals, replies, log } = deps;
  const answers = answersOf(deps);

  return async (command: SlackCommand, attempts = 1): Promise<void> => {
    const { word } = command;
    const name = word === '' ? 'help' : isCommandName(word) ? word : undefined;
    let message: SlackMessage | undefined;
    try {
      message = await answer(name, command, attempts);
    } catch (error) {
      const isAway = mayPass(error);
      if (isAway && (isSlackCallError(error) || (name !== undefined && repeated.has(name)))) {
        if (attempts === attemptsBeforeNotice) await reportWait(command);
        throw error;
      }
      if (isAway) log.warn({ err: error, command: name }, 'a command of Slack found something away');
      else log.error({ err: error, command: name }, 'a command of Slack failed');
      message = linesMessage(escapeMrkdwn(textOf(error, isAway)), []);
    }
    if (message) await replies.send(command, message);
  };

  async function answer(name: CommandName | undefined, command: SlackCommand, attempts: number) {
    if (name === undefined) return helpMessage(command.word);
    if (name === 'ask') {
      const text = await deps.ask(command, attempts);
      return text === undefined ? undefined : linesMessage(text, []);
    }
    // The answer is for this person alone, as in a direct message.
    const { team, channel, userId } = command;
    const judged = await principals.judge({ team, channel, userId, isDirect: true, isExternal: false });
    if ('ignored' in judged) return undefined;
    if ('refused' in judged) return linesMessage(judged.refused, []);
    // A repeat is no other command.
    const refusal = attempts === 1 ? await deps.admit(judged.principal, costlyKindsOf(name, command.rest)) : undefined;
    if (refusal !== undefined) return linesMessage(escapeMrkdwn(refusal), []);
    const sender = { principal: judged.principal, link: judged.link, team, userId };
    if (name === 'channel') return deps.channel({ ...sender, channel }, command.rest);
    if (name === 'contacts') return deps.contacts({ ...sender, key: command.key }, plainTextOf(command.rest, ''));
    return answers[name](sender, plainTextOf(command.rest, ''));
  }

  async function reportWait(command: SlackCommand) {
    await replies
      .send(command, linesMessage(waits, []))
      .catch((err: unknown) => log.warn({ err }, 'a person does not read that a command waits'));
  }
}

/** Beside `ask`, which is counted where it asks. */
const costlyKindsOf = (name: CommandName, rest: string): CostlyKind[] =>
  name === 'documents' && rest !== '' ? ['searches'] : name === 'contacts' && addsContacts(rest) ? ['uploads'] : [];

const textOf = (error: unknown, isAway: boolean): string =>
  isAway ? away : error instanceof AlfredError ? error.message : commandFailed;

type Answer = (sender: CommandSender, rest: string) => Promise<SlackMessage> | SlackMessage;

function answersOf(deps: CommandDeps): Record<Exclude<CommandName, 'ask' | 'channel' | 'contacts'>, Answer> {
  const { ledger, readiness } = deps;
  const tasks = createTaskCommands(deps);
  const readDocuments = createDocumentCommand(deps);
  return {
    help: ({ link }) => helpMessage('', link && describeLink(link)),
    agents: (sender) => agentsMessage(deps, sender),
    tasks: (sender) => tasks.list(sender),
    status: (sender, id) => tasks.status(sender, id),
    cancel: (sender, id) => tasks.cancel(sender, id),
    async approvals(sender) {
      const { lines, hasMore } = await readApprovals(deps, sender);
      if (lines.length === 0) return linesMessage('Nothing waits for your decision.', []);
      return linesMessage('*What waits for your decision*', lines, [decideHint, ...(hasMore ? [moreApprovals] : [])]);
    },
    async budget({ principal }) {
      const parts = await readUsage(ledger, principal, new Date());
      const lines = parts.flatMap(({ title, lines: figures }) => [`*${title}*`, ...figures]);
      return linesMessage(lines[0]!, lines.slice(1), [usageNote]);
    },
    documents: ({ principal }, words) => readDocuments(principal, words),
    link: (sender, rest) => deps.link(sender, rest),
    unlink: (sender) => deps.unlink(sender),
    health: async ({ principal }) => healthMessage(await readiness.read(), principal),
  };
}

async function agentsMessage(
  { config, agents, tenants }: CommandDeps,
  { principal: { tenant, roles } }: CommandSender,
): Promise<SlackMessage> {
  const { agents: own } = await tenants.find(tenant);
  const lines = Object.keys(agents)
    .filter((name) => agentInTenant(config, name, own.get(name)).mayBeUsedWith(roles))
    .map((name) => `• *${escapeMrkdwn(name)}*: ${escapeMrkdwn(findAgent(agents, name)?.description ?? '')}`);
  return lines.length === 0
    ? linesMessage('There is no agent for you here.', [])
    : linesMessage('*The agents that you may use*', lines);
}
