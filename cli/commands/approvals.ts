import { InvalidArgumentError, Option, type Command } from 'commander';
import { Approval, ApprovalList, approvalStatuses } from '../../contract/approval.ts';
import type { CommandContext } from '../command-context.ts';
import { formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';

type ApprovalListOptions = ListOptions & { status?: string };
type DecideOptions = { comment?: string; edit?: object; json?: boolean };

export function addApprovals(program: Command, context: CommandContext) {
  const approvals = program.command('approvals').description('calls that wait for a person');
  addListOptions(approvals.command('list', { isDefault: true }).description('what waits for you, newest first'), {
    usual: 20,
    all: 'also what others decide, and what was decided: all of them, unless --limit says how many',
  })
    .addOption(new Option('-s, --status <status>', 'in this state only').choices([...approvalStatuses, 'decided']))
    .action((options: ApprovalListOptions) => list(options, context));
  approvals
    .command('show')
    .description('one approval: what would run, for whom, until when')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => show(id, options, context));
  approvals
    .command('approve')
    .description('let the call run')
    .argument('<id>')
    .option('-c, --comment <text>', 'the agent reads it')
    .option('-e, --edit <json>', 'arguments that run instead', jsonObject)
    .option('--json', 'as JSON')
    .action((id: string, options: DecideOptions) => decide('approve', id, options, context));
  approvals
    .command('deny')
    .description('do not let the call run')
    .argument('<id>')
    .option('-c, --comment <text>', 'the agent reads it')
    .option('--json', 'as JSON')
    .action((id: string, options: DecideOptions) => decide('deny', id, options, context));
}

function jsonObject(value: string): object {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // Throws the same error as JSON that is no object.
  }
  throw new InvalidArgumentError('expected a JSON object, like \'{"amount": 50}\'');
}

const path = (id: string) => `/v1/approvals/${encodeURIComponent(id)}`;

async function list({ status, ...options }: ApprovalListOptions, { api, terminal }: CommandContext) {
  const mine = !options.all && status === undefined ? 'true' : undefined;
  const { items: approvals, nextCursor } = await readPages(options, {
    usual: 20,
    pageSize: 200,
    async read(page) {
      const answer = await api.call('/v1/approvals', { query: { status, mine, ...page }, answer: ApprovalList });
      return { ...answer, items: answer.approvals };
    },
  });
  if (options.json) return terminal.printJson({ approvals, nextCursor });
  if (approvals.length === 0)
    return terminal.note(mine ? 'Nothing waits for you. --all shows the others.' : 'There are none.');
  terminal.print(table([['ID', 'TOOL', 'STATUS', 'ASKED BY', 'SINCE', 'UNTIL'], ...approvals.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = ({ id, tool, status, requestedBy, requestedAt, expiresAt }: Approval) => [
  id,
  tool,
  status,
  requestedBy,
  formatMinute(requestedAt),
  status === 'pending' ? formatMinute(expiresAt) : '',
];

async function show(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  const approval = await api.call(path(id), { answer: Approval });
  if (json) return terminal.printJson(approval);
  const { tool, agent, taskId, requestedBy, status, expiresAt, onExpiry, decision, argumentsHash } = approval;
  terminal.print(
    table([
      ['call', `${tool}, by the agent ${agent}`],
      ['task', taskId],
      ['asked by', requestedBy],
      ['status', status],
      ...(decision ? [] : [['until', `${expiresAt}, then ${onExpiry === 'approve' ? 'it runs' : 'it does not run'}`]]),
      ['arguments', argumentsHash],
    ]),
  );
  terminal.print(`\n${JSON.stringify(approval.arguments, null, 2)}`);
  if (decision) terminal.print(`\n${sentenceOf(approval)}`);
}

async function decide(
  decision: 'approve' | 'deny',
  id: string,
  { comment, edit, json }: DecideOptions,
  { api, terminal }: CommandContext,
) {
  // The server refuses the decision when the arguments have changed since they were shown.
  const { argumentsHash, status } = await api.call(path(id), { answer: Approval });
  const shownArguments = status === 'pending' ? { argumentsHash } : {};
  const approval = await api.call(path(id), {
    method: 'POST',
    json: { decision, comment, edit, ...shownArguments },
    answer: Approval,
  });
  if (json) return terminal.printJson(approval);
  terminal.print(sentenceOf(approval));
}

function sentenceOf({ tool, status, decision }: Approval): string {
  const who = decision?.by == null ? 'no one decided in time' : `${status} by ${decision.by}`;
  const edited = decision?.edited == null ? '' : ` with other arguments: ${JSON.stringify(decision.edited)}`;
  const comment = decision?.comment ? ` “${decision.comment}”` : '';
  return `${tool}: ${who} at ${decision?.at ?? ''}; it ${decision?.runs ? `runs${edited}` : 'does not run'}.${comment}`;
}
