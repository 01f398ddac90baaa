import { Option, type Command } from 'commander';
import { z } from 'zod';
import { TaskEventPage, type TaskEvent } from '../../contract/events.ts';
import { firstWords } from '../../contract/rules/first-words.ts';
import { Task, TaskList, taskStatuses } from '../../contract/task.ts';
import type { ApiClient } from '../client/api-client.ts';
import type { CommandContext } from '../command-context.ts';
import { exitCodes } from '../cli-error.ts';
import { followEvents } from '../client/follow-events.ts';
import { formatDollars, formatDuration } from '../../contract/rules/format.ts';
import { formatCount, formatSecond } from '../terminal/format.ts';
import { table, type Terminal } from '../terminal/terminal.ts';
import { formatCitations, formatCost, formatFiles, notGrounded } from '../terminal/task-summary.ts';
import { addArtifacts } from './artifacts.ts';
import { addCallback } from './callback.ts';
import { addShare } from './share.ts';
import { addListOptions, noteMore, ofOption, readPages, type ListOptions, type OfOption } from './list-options.ts';
import { dollarAmount, wholeNumber } from './number-options.ts';
import { addUndo, isTakenBack, printEffects } from './undo.ts';

type TaskListOptions = ListOptions & OfOption & { agent?: string; status?: string; parent?: string };
type GrantOptions = {
  maxCostUsd?: number;
  maxTokens?: number;
  maxModelCalls?: number;
  maxDurationS?: number;
  finish?: boolean;
  json?: boolean;
};
type CancelOptions = { reason?: string; undo?: boolean; json?: boolean };
type EventOptions = { after: number; follow?: boolean; json?: boolean };

export function addTasks(program: Command, context: CommandContext) {
  const tasks = program.command('tasks').description('what agents did and do');
  addListOptions(tasks.command('list', { isDefault: true }).description('newest first'), { usual: 20 })
    .option('-a, --agent <name>', 'of this agent only')
    .addOption(new Option('-s, --status <status>', 'in this state only').choices(taskStatuses))
    .option('--parent <id>', 'only those that this task has delegated, which are left out otherwise')
    .addOption(ofOption('own', 'shared', 'tenant'))
    .action((options: TaskListOptions) => list(options, context));
  tasks
    .command('show')
    .description('one task: status, answer, cost')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => show(id, options, context));
  tasks
    .command('cancel')
    .description('stop a task; safe to repeat')
    .argument('<id>')
    .option('-r, --reason <text>', 'kept with the task')
    .option('--undo', 'take back what it has changed, newest first')
    .option('--json', 'as JSON')
    .action((id: string, options: CancelOptions) => cancel(id, options, context));
  addArtifacts(tasks, context);
  addUndo(tasks, context);
  addShare(tasks, context, path);
  tasks
    .command('remove')
    .alias('delete')
    .description('cancel it if it runs, and remove its question, answer and events; for tasks outside of conversations')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => remove(id, options, context));
  tasks
    .command('grant')
    .description('new totals for a task that runs or waits at a limit, or its end with what it has')
    .argument('<id>')
    .option('--max-cost-usd <dollars>', 'US dollars in all', dollarAmount)
    .option('--max-tokens <number>', 'tokens in all', wholeNumber({ from: 1, like: 20_000 }))
    .option('--max-model-calls <number>', 'model calls in all', wholeNumber({ from: 1, like: 10 }))
    .option('--max-duration-s <seconds>', 'seconds of work in all', wholeNumber({ from: 1, like: 600 }))
    .option('--finish', 'end it with what it has')
    .option('--json', 'as JSON')
    .action((id: string, options: GrantOptions) => grant(id, options, context));
  tasks
    .command('events')
    .description('what happened, event by event')
    .argument('<id>')
    .option('--after <number>', 'only events with a higher number', Number, 0)
    .option('-f, --follow', 'wait for more until the task ends')
    .option('--json', 'one JSON object a line')
    .action((id: string, options: EventOptions) => events(id, options, context));
  addCallback(tasks, context, {
    path: (id) => `/v1/tasks/${id}`,
    description: 'how far the webhook about the task’s end is',
    argument: '<id>',
  });
}

/** Columns of the question in a list: the other ones take the first hundred of a wide terminal. */
const askedWidth = 50;

const path = (id: string) => `/v1/tasks/${encodeURIComponent(id)}`;

async function list({ agent, status, parent, of, ...options }: TaskListOptions, { api, terminal }: CommandContext) {
  const { items: tasks, nextCursor } = await readPages(options, {
    usual: 20,
    pageSize: 200,
    async read(page) {
      const answer = await api.call('/v1/tasks', { query: { agent, status, parent, of, ...page }, answer: TaskList });
      return { ...answer, items: answer.tasks };
    },
  });
  if (options.json) return terminal.printJson({ tasks, nextCursor });
  if (tasks.length === 0 && of === 'shared') return terminal.note('No task is shared with you.');
  if (tasks.length === 0 && (status ?? agent ?? parent) !== undefined) return terminal.note('No task fits.');
  if (tasks.length === 0) return terminal.note('No tasks. Ask something: alfred ask "…"');
  terminal.print(
    table([
      ['ID', 'AGENT', 'STATUS', 'STARTED', 'TOOK', 'COST', ...lastColumnsOf(of)],
      ...tasks.map((task) => [...rowOf(task), ...lastCellsOf(task, of)]),
    ]),
  );
  noteMore({ nextCursor }, terminal);
}

const rowOf = (task: Task) => [
  task.id,
  task.agent,
  task.status,
  formatSecond(task.createdAt),
  tookOf(task),
  formatDollars(task.usage.costUsd),
];

/** Of what is shared, the question can be read too. Of the rest of the tenant's, it can not. */
function lastColumnsOf(of: TaskListOptions['of']): string[] {
  if (of === 'shared') return ['OWNER', 'ASKED'];
  return [of === 'tenant' ? 'OWNER OR ASKED' : 'ASKED'];
}

function lastCellsOf({ owner = '', asked }: Task, of: TaskListOptions['of']): string[] {
  const question = firstWords(asked ?? '', askedWidth);
  if (of === 'shared') return [owner, question];
  return [of === 'tenant' && owner !== '' ? owner : question];
}

const tookOf = ({ createdAt, endedAt }: Task) =>
  endedAt === null ? '' : formatDuration(Date.parse(endedAt) - Date.parse(createdAt));

async function show(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  const task = await api.call(path(id), { answer: Task });
  if (json) return terminal.printJson(task);
  terminal.print(
    table([
      ['task', task.id],
      ...(task.owner === undefined ? [] : [['owner', task.owner]]),
      ['agent', task.agent],
      ['status', task.status],
      ['created', task.createdAt],
      ...(task.conversationId ? [['conversation', task.conversationId]] : []),
      ...(task.parentId ? [['delegated by', task.parentId]] : []),
      ...(task.scheduleId ? [['schedule', task.scheduleId]] : []),
      ['temporal', task.links.temporal],
    ]),
  );
  if (task.input) terminal.print(`\nAsked: ${task.input.text}`);
  if (task.waiting) terminal.print(`\nWaiting: ${task.waiting.message}`);
  if (task.waiting?.approvals)
    terminal.print(`Decide with: ${task.waiting.approvals.map((id) => `alfred approvals approve ${id}`).join('\n')}`);
  printEffects(task, terminal);
  for (const child of task.children ?? [])
    terminal.print(
      `\nDelegated to ${child.agent}: ${child.status}, ${formatDollars(child.costUsd)} (task ${child.id})`,
    );
  if (task.error) terminal.print(`\n${task.error.message} (${task.error.code})`);
  if (task.result) terminal.print(`\n${task.result.text}`);
  if (task.result?.citations.length) terminal.print(`\n${formatCitations(task.result.citations, terminal.columns)}`);
  if (task.result?.grounded === false) terminal.print(`\n${notGrounded}`);
  if (task.artifacts) terminal.print(`\n${formatFiles(task.id, task.artifacts)}`);
  const spentMs = Date.parse(task.endedAt ?? new Date().toISOString()) - Date.parse(task.createdAt);
  terminal.print(`\n${formatCost(task.usage, spentMs, task.model ?? '')}`);
  if (task.usageWithChildren)
    terminal.print(`With what it has delegated: ${formatDollars(task.usageWithChildren.costUsd)}`);
}

async function cancel(id: string, { json, ...options }: CancelOptions, { api, terminal }: CommandContext) {
  const task = await api.call(`${path(id)}/cancel`, { method: 'POST', json: options, answer: Task });
  if (json) terminal.printJson(task);
  else {
    terminal.print(task.endedAt === null ? 'The task is being cancelled.' : `The task is ${task.status}.`);
    printEffects(task, terminal);
  }
  if (!options.undo || task.endedAt === null || task.effects.every(isTakenBack)) return;
  process.exitCode = exitCodes.failed;
  terminal.note(
    task.status === 'cancelled'
      ? `Not everything was taken back. To try again: alfred tasks undo ${id}`
      : `The task had ended before it could be cancelled: nothing was taken back. To do so: alfred tasks undo ${id}`,
  );
}

async function remove(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  await api.call(path(id), { method: 'DELETE', answer: z.undefined() });
  if (json) return terminal.printJson({ id, deleted: true });
  terminal.print('The task is deleted.');
}

async function grant(id: string, { json, ...options }: GrantOptions, { api, terminal }: CommandContext) {
  const task = await api.call(`${path(id)}/budget`, { method: 'POST', json: options, answer: Task });
  if (json) return terminal.printJson(task);
  const { budget, status } = task;
  if (options.finish) return terminal.print('The task ends with what it has.');
  const limits = Object.entries(budget).map(([name, value]) => `${name} ${value}`);
  terminal.print(`The task is ${status}; its limits: ${limits.join(', ')}.`);
}

async function events(id: string, { after, follow, json }: EventOptions, { api, terminal }: CommandContext) {
  for await (const event of follow ? followEvents(api, id, { after }) : storedEvents(api, id, after)) {
    if (json) terminal.print(JSON.stringify(event));
    else showEvent(event, terminal);
  }
}

/** The events that are stored now, read page by page. */
async function* storedEvents(api: ApiClient, id: string, after: number): AsyncGenerator<TaskEvent> {
  while (true) {
    const page = await api.call(`${path(id)}/events`, { query: { after }, answer: TaskEventPage });
    yield* page.events;
    after = page.events.at(-1)?.seq ?? after;
    if (page.events.length === 0 || after >= page.lastSeq) return;
  }
}

function showEvent(event: TaskEvent, terminal: Terminal) {
  const { seq, at, type } = event;
  terminal.print(`${String(seq).padStart(5)}  ${at.slice(11, 23)}  ${type.padEnd(18)}  ${describeEvent(event)}`);
}

/** What an event says. Why something failed or waits is shown whole; of other data the beginning. */
function describeEvent({ type, data }: TaskEvent): string {
  if (type === 'text.delta') return formatCount(data.text.length, 'character');
  if (type === 'task.waiting') return data.message;
  if (type === 'task.failed') return `${data.error.code}: ${data.error.message}`;
  if (type === 'model.failed') {
    const { error, willRetry } = data;
    return `${error.code}: ${error.message}${willRetry ? ' Alfred tries again.' : ''}`;
  }
  if (type === 'tool.completed' && data.isError) return `${data.tool} failed: ${data.summary}`;
  const text = JSON.stringify(data);
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
