import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, type Command } from 'commander';
import { DocumentList } from '../../contract/documents.ts';
import { isTerminalEvent } from '../../contract/events.ts';
import { Task, type TaskRequest } from '../../contract/task.ts';
import type { ApiClient } from '../client/api-client.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { followEvents } from '../client/follow-events.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { exitCodeOf, printFailureReason } from '../task-ending.ts';
import { printSourcesAndCost } from '../terminal/task-summary.ts';
import { createTranscript } from '../terminal/transcript.ts';
import { untilAnswered } from '../client/until-answered.ts';

type Options = { agent: string; json?: boolean; stream: boolean; maxCostUsd?: number; priority?: number };

export function addAsk(program: Command, context: CommandContext) {
  program
    .command('ask')
    .description('ask an agent, and watch the answer come')
    .argument('[question...]', 'what you want to know')
    .option('-a, --agent <name>', 'which agent (see `alfred agents`)', 'knowledge')
    .option('--max-cost-usd <dollars>', 'wait before a model call that could cost more than this in all', dollarAmount)
    .option('--priority <number>', '1 goes first, 5 last, while tasks wait for workers; default 3', priorityKey)
    .option('--no-stream', 'print the answer when it is complete')
    .option('--json', 'print the finished task as JSON')
    .action(async (words: string[], options: Options) => {
      process.exitCode = await ask(words.join(' ').trim(), options, context);
    });
}

function dollarAmount(value: string): number {
  const amount = Number(value);
  if (value.trim() === '' || !Number.isFinite(amount) || amount < 0)
    throw new InvalidArgumentError('expected US dollars, like 0.25');
  return amount;
}

function priorityKey(value: string): number {
  if (!/^[1-5]$/.test(value)) throw new InvalidArgumentError('expected a number from 1 (first) to 5 (last)');
  return Number(value);
}

async function ask(question: string, options: Options, { api, terminal }: CommandContext): Promise<number> {
  if (!question)
    throw usageError(
      'The question is empty. Write it behind the command: alfred ask "How many days do I have to file an expense report?"',
    );
  const request: Partial<TaskRequest> & Pick<TaskRequest, 'input'> = {
    agent: options.agent,
    input: { text: question },
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    // In a pipe, no person is there to grant more budget: the task ends at its limit.
    ...(options.maxCostUsd === undefined
      ? {}
      : { budget: { maxCostUsd: options.maxCostUsd, ...(terminal.isLive ? {} : { waitS: 0 }) } }),
  };
  let isCancelled = false;
  let task: Task | undefined;
  const cancel = async () => {
    if (!task) return;
    await api
      .call(`/v1/tasks/${task.id}/cancel`, { method: 'POST', json: {}, answer: Task })
      .catch((error: Error) => terminal.note(`Could not cancel: ${error.message}`));
  };
  const stopWatching = onInterrupt(
    () => {
      isCancelled = true;
      terminal.note('Cancelling the task … (Ctrl-C again leaves at once)');
      void cancel();
    },
    () => process.exit(exitCodes.cancelled),
  );
  try {
    task = await createTask(api, request, (line) => terminal.note(line, 'dim'));
    if (isCancelled) await cancel();
    const ending = await watch(task, {
      api,
      terminal,
      stream: terminal.isLive && options.stream && !options.json,
      quiet: options.json === true,
    });
    if (options.json) terminal.print(JSON.stringify(await api.call(`/v1/tasks/${task.id}`, { answer: Task }), null, 2));
    return await printResult(task, ending, { api, terminal, json: options.json === true });
  } finally {
    stopWatching();
  }
}

/** Repeated requests have the same idempotency key, so that they create one task. */
function createTask(api: ApiClient, request: object, notify: (line: string) => void): Promise<Task> {
  const headers = { 'idempotency-key': randomUUID() };
  return untilAnswered(() => api.call('/v1/tasks', { method: 'POST', json: request, headers, answer: Task }), {
    notify,
  });
}

/** Shows the task until its terminal event. */
async function watch(
  task: Task,
  { api, terminal, stream, quiet }: CommandContext & { stream: boolean; quiet: boolean },
) {
  const transcript = createTranscript(terminal, { stream, taskId: task.id });
  const createdAtMs = Date.parse(task.createdAt);
  const onWait = () =>
    terminal.note('The connection broke. The task goes on; waiting for Alfred to answer again …', 'dim');
  for await (const event of followEvents(api, task.id, { onWait })) {
    if (!quiet) transcript.show(event);
    if (isTerminalEvent(event))
      return { event, durationMs: Date.parse(event.at) - createdAtMs, model: transcript.model() };
  }
  throw new Error('the event stream ended without a last event');
}

/** Prints how the task ended. @returns the exit code */
async function printResult(
  task: Task,
  { event, durationMs, model }: Awaited<ReturnType<typeof watch>>,
  { api, terminal, json }: CommandContext & { json: boolean },
) {
  const { usage } = event.data;
  printFailureReason(terminal, event);
  if (!json) {
    const result = 'result' in event.data ? { result: event.data.result } : {};
    printSourcesAndCost(terminal, { ...result, usage, durationMs, model, link: task.links.temporal });
  }
  if (event.type === 'task.completed' && event.data.result.citations.length === 0)
    await suggestDocuments(api, (line) => terminal.note(line));
  return exitCodeOf(event);
}

/** When there are no documents at all, an answer without citations is no surprise: says how to add some. */
async function suggestDocuments(api: ApiClient, notify: (line: string) => void) {
  const page = await api.call('/v1/documents', { query: { limit: 1 }, answer: DocumentList }).catch(() => undefined);
  if (page?.documents.length === 0)
    notify('There are no documents yet. Add some: alfred documents add docs/examples/policies');
}
