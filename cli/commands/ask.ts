import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, type Command } from 'commander';
import { DocumentList } from '../../contract/documents.ts';
import { Task, type TaskRequest } from '../../contract/task.ts';
import type { ApiClient } from '../client/api-client.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { Context } from '../command-context.ts';
import { followEvents, isLast } from '../client/follow-events.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { exitCodeOf, noteEnding } from '../task-ending.ts';
import { createTranscript, showEnding } from '../terminal/transcript.ts';
import { untilAnswered } from '../client/until-answered.ts';

type Options = { agent: string; json?: boolean; stream: boolean; maxCostUsd?: number; priority?: number };

export function addAsk(program: Command, context: Context) {
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

async function ask(question: string, options: Options, { api, terminal }: Context): Promise<number> {
  if (!question)
    throw usageError(
      'The question is empty. Write it behind the command: alfred ask "How many days do I have to file an expense report?"',
    );
  const request: Partial<TaskRequest> & Pick<TaskRequest, 'input'> = {
    agent: options.agent,
    input: { text: question },
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    // Nobody is there to grant more to a command in a pipe.
    ...(options.maxCostUsd === undefined
      ? {}
      : { budget: { maxCostUsd: options.maxCostUsd, ...(terminal.isLive ? {} : { waitS: 0 }) } }),
  };
  let cancelling = false;
  let task: Task | undefined;
  const cancel = async () => {
    if (!task) return;
    await api
      .call(`/v1/tasks/${task.id}/cancel`, { method: 'POST', json: {}, answer: Task })
      .catch((error: Error) => terminal.note(`Could not cancel: ${error.message}`));
  };
  const stopWatching = onInterrupt(
    () => {
      cancelling = true;
      terminal.note('Cancelling the task … (Ctrl-C again leaves at once)');
      void cancel();
    },
    () => process.exit(exitCodes.cancelled),
  );
  try {
    task = await createTask(api, request, (line) => terminal.note(line, 'dim'));
    if (cancelling) await cancel();
    const last = await watch(task, {
      api,
      terminal,
      stream: terminal.isLive && options.stream && !options.json,
      quiet: options.json === true,
    });
    if (options.json) terminal.print(JSON.stringify(await api.call(`/v1/tasks/${task.id}`, { answer: Task }), null, 2));
    return await end(task, last, { api, terminal, json: options.json === true });
  } finally {
    stopWatching();
  }
}

/** Whatever broke, the same key makes the same task. */
function createTask(api: ApiClient, request: object, say: (line: string) => void): Promise<Task> {
  const headers = { 'idempotency-key': randomUUID() };
  return untilAnswered(() => api.call('/v1/tasks', { method: 'POST', json: request, headers, answer: Task }), { say });
}

async function watch(
  task: Task,
  { api, terminal, stream, quiet }: Pick<Context, 'api' | 'terminal'> & { stream: boolean; quiet: boolean },
) {
  const transcript = createTranscript(terminal, { stream, taskId: task.id });
  const begun = Date.parse(task.createdAt);
  const onWait = () =>
    terminal.note('The connection broke. The task goes on; waiting for Alfred to answer again …', 'dim');
  for await (const event of followEvents(api, task.id, { onWait })) {
    if (!quiet) transcript.show(event);
    if (isLast(event)) return { event, durationMs: Date.parse(event.at) - begun, model: transcript.model() };
  }
  throw new Error('the event stream ended without a last event');
}

async function end(
  task: Task,
  { event, durationMs, model }: Awaited<ReturnType<typeof watch>>,
  { api, terminal, json }: Pick<Context, 'api' | 'terminal'> & { json: boolean },
) {
  const { usage } = event.data;
  noteEnding(terminal, event);
  if (!json) {
    const result = event.type === 'task.completed' ? { result: event.data.result } : {};
    showEnding(terminal, { ...result, usage, durationMs, model, link: task.links.temporal });
  }
  if (event.type === 'task.completed' && event.data.result.citations.length === 0)
    await hintAtDocuments(api, (line) => terminal.note(line));
  return exitCodeOf(event);
}

async function hintAtDocuments(api: ApiClient, say: (line: string) => void) {
  const page = await api.call('/v1/documents', { query: { limit: 1 }, answer: DocumentList }).catch(() => undefined);
  if (page?.documents.length === 0)
    say('There are no documents yet. Add some: alfred documents add docs/examples/policies');
}
