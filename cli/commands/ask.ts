import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, type Command } from 'commander';
import { ArtifactList } from '../../contract/artifacts.ts';
import { DocumentList } from '../../contract/documents.ts';
import { isTerminalEvent, type TaskEvent } from '../../contract/events.ts';
import { Task, type TaskRequest } from '../../contract/task.ts';
import type { ApiClient } from '../client/api-client.ts';
import { exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { followEvents } from '../client/follow-events.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { exitCodeOf, printFailureReason } from '../task-ending.ts';
import { formatFiles, printSourcesAndCost } from '../terminal/task-summary.ts';
import { createTranscript } from '../terminal/transcript.ts';
import { readCallback, type CallbackOptions } from '../client/read-callback.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { askForInput } from '../client/typed-input.ts';
import { untilAnswered } from '../client/until-answered.ts';
import { readInput } from './ask-input.ts';
import { dollarAmount } from './number-options.ts';

type Options = CallbackOptions & {
  agent: string;
  input?: string;
  idempotencyKey?: string;
  timeout?: number;
  json?: boolean;
  stream: boolean;
  maxCostUsd?: number;
  priority?: number;
};

export function addAsk(program: Command, context: CommandContext) {
  program
    .command('ask')
    .description('ask an agent, and watch the answer come')
    .argument('[question...]', 'what you want to know')
    .option('-a, --agent <name>', 'which agent (see `alfred agents`)', 'knowledge')
    .option('--input <json>', 'in place of a question: the input as JSON, @file, or - for standard input')
    .option('--idempotency-key <key>', 'ask once, however often the command is repeated with this key')
    .option(
      '--timeout <seconds>',
      `stop waiting after so long, with exit code ${exitCodes.timedOut}; the task goes on`,
      seconds,
    )
    .option('--max-cost-usd <dollars>', 'wait before a model call that could cost more than this in all', dollarAmount)
    .option('--priority <number>', '1 goes first, 5 last, while tasks wait for workers; default 3', priorityKey)
    .option('--callback <url>', 'tell this address when the task has ended')
    .option('--callback-secret <file>', 'the file with the secret (whsec_…) that signs the call')
    .option('--no-stream', 'print the answer when it is complete')
    .option('--json', 'print the finished task as JSON')
    .action(async (words: string[], options: Options) => {
      process.exitCode = await ask(words.join(' ').trim(), options, context);
    });
}

function seconds(value: string): number {
  const amount = Number(value);
  // A longer timer would end at once.
  if (!(amount > 0 && amount <= 2_000_000)) throw new InvalidArgumentError('expected seconds, like 60');
  return amount;
}

function priorityKey(value: string): number {
  if (!/^[1-5]$/.test(value)) throw new InvalidArgumentError('expected a number from 1 (first) to 5 (last)');
  return Number(value);
}

async function requestOf(question: string, options: Options, { api, terminal: { isLive } }: CommandContext) {
  const callback = await readCallback(options);
  const isAsked = !question && options.input === undefined && isLive && process.stdin.isTTY;
  const filledIn = isAsked ? await askForInput(api, options.agent) : undefined;
  return {
    agent: options.agent,
    input: filledIn ?? (await readInput(question, options.input)),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(callback && { callback }),
    // In a pipe, no person is there to grant more budget: the task ends at its limit.
    ...(options.maxCostUsd === undefined
      ? {}
      : { budget: { maxCostUsd: options.maxCostUsd, ...(isLive ? {} : { waitS: 0 }) } }),
  } satisfies Partial<TaskRequest>;
}

async function ask(question: string, options: Options, context: CommandContext): Promise<number> {
  const { api, terminal } = context;
  const request = await requestOf(question, options, context);
  const signal = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout * 1_000);
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
  const readTask = ({ id }: Task, limit?: AbortSignal) =>
    api.call(`/v1/tasks/${id}`, { answer: Task, ...(limit && { signal: limit }) });
  const key = options.idempotencyKey ?? randomUUID();
  try {
    task = await createTask(api, request, {
      key,
      signal,
      notify: (line) => terminal.note(line, 'dim'),
    });
    if (isCancelled) await cancel();
    const ending = await watch(task, { api, terminal, options, signal });
    if (options.json) terminal.printJson(await readTask(task, signal));
    return await printResult(task, ending, { api, terminal, json: options.json === true });
  } catch (error) {
    if (!signal?.aborted) throw error;
    noteTimeout(task, { timeout: options.timeout, key }, terminal);
    // The API may not answer any more; its first answer has the id.
    const known = task;
    if (known && options.json)
      terminal.printJson(await readTask(known, AbortSignal.timeout(lastRequestMs)).catch(() => known));
    return exitCodes.timedOut;
  } finally {
    stopWatching();
  }
}

/** How long the last request may take when the time to wait is over, in milliseconds. */
const lastRequestMs = 3_000;

type Wait = { timeout: number | undefined; key: string };

function noteTimeout(task: Task | undefined, { timeout, key }: Wait, terminal: Terminal) {
  terminal.note(`\nStopped waiting after ${timeout} s.`);
  terminal.note(
    task
      ? `The task goes on. Follow it: alfred tasks events ${task.id} --follow; its answer: alfred tasks show ${task.id}`
      : `Alfred did not answer in that time, and may have created the task all the same. Repeat the command with --idempotency-key ${key}: it asks once.`,
  );
}

type Creation = { key: string; signal: AbortSignal | undefined; notify: (line: string) => void };

/** Repeated requests have the same idempotency key, so that they create one task. */
function createTask(api: ApiClient, request: object, { key, signal, notify }: Creation): Promise<Task> {
  const call = {
    method: 'POST',
    json: request,
    headers: { 'idempotency-key': key },
    answer: Task,
    ...(signal && { signal }),
  } as const;
  return untilAnswered(() => api.call('/v1/tasks', call), { notify, ...(signal && { signal }) });
}

type Watch = CommandContext & { options: Options; signal: AbortSignal | undefined };

/** Shows the task until its terminal event. */
async function watch(task: Task, { api, terminal, options, signal }: Watch) {
  const stream = terminal.isLive && options.stream && !options.json;
  let hasFiles = false;
  const transcript = createTranscript(terminal, { stream, taskId: task.id });
  const createdAtMs = Date.parse(task.createdAt);
  const onWait = () =>
    terminal.note('The connection broke. The task goes on; waiting for Alfred to answer again …', 'dim');
  for await (const event of followEvents(api, task.id, { onWait, ...(signal && { signal }) })) {
    // With --json, standard error still says what the task waits for: a script must not seem to hang.
    if (!options.json || waits.has(event.type)) transcript.show(event);
    if (event.type === 'task.waiting' && !terminal.isLive && options.timeout === undefined)
      terminal.note('  This command waits as long as the task does; --timeout <seconds> ends the wait.', 'dim');
    if (event.type === 'artifact.created' || (event.type === 'delegation.ended' && event.data.artifacts))
      hasFiles = true;
    if (isTerminalEvent(event))
      return { event, durationMs: Date.parse(event.at) - createdAtMs, model: transcript.model(), hasFiles };
  }
  signal?.throwIfAborted();
  throw new Error('the event stream ended without a last event');
}

const waits = new Set<TaskEvent['type']>(['task.waiting', 'approval.requested']);

/** Prints how the task ended. @returns the exit code */
async function printResult(
  task: Task,
  { event, durationMs, model, hasFiles }: Awaited<ReturnType<typeof watch>>,
  { api, terminal, json }: CommandContext & { json: boolean },
) {
  const { usage } = event.data;
  printFailureReason(terminal, event);
  if (!json && hasFiles) await noteFiles(task, { api, terminal });
  if (!json) {
    const result = 'result' in event.data ? { result: event.data.result } : {};
    printSourcesAndCost(terminal, { ...result, usage, durationMs, model, link: task.links.temporal });
  }
  if (event.type === 'task.completed' && event.data.result.grounded === false)
    await suggestDocuments(api, (line) => terminal.note(line));
  return exitCodeOf(event);
}

async function noteFiles({ id }: Task, { api, terminal }: CommandContext) {
  const found = await api.call(`/v1/tasks/${id}/artifacts`, { answer: ArtifactList }).catch(() => undefined);
  if (found && found.artifacts.length > 0) terminal.note(`\n${formatFiles(id, found.artifacts)}`);
}

/** When there are no documents at all, an answer without citations is no surprise: says how to add some. */
async function suggestDocuments(api: ApiClient, notify: (line: string) => void) {
  const page = await api.call('/v1/documents', { query: { limit: 1 }, answer: DocumentList }).catch(() => undefined);
  if (page?.documents.length === 0)
    notify('There are no documents yet. Add some: alfred documents add docs/examples/policies');
}
