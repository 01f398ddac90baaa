import type { TaskEvent } from '../../contract/events.ts';
import type { JsonValue } from '../../contract/json.ts';
import { formatDuration } from '../../contract/rules/format.ts';
import { formatBytes } from './format.ts';
import type { Terminal } from './terminal.ts';

type Options = {
  /** Show text as the model generates it. Without it, only the text of the finished task is written. */
  stream: boolean;
  taskId: string;
};
type Transcript = Options & { terminal: Terminal; answer: StreamedText; model: string };
type Handlers = {
  [Type in TaskEvent['type']]: (data: Extract<TaskEvent, { type: Type }>['data'], transcript: Transcript) => void;
};

/**
 * Shows a task while it runs: text on standard output, notes on standard error. With `stream: false`, standard output
 * gets the answer only.
 */
export function createTranscript(terminal: Terminal, options: Options) {
  const transcript: Transcript = { ...options, terminal, answer: createStreamedText(terminal), model: '' };
  return {
    show: ({ type, data }: TaskEvent) =>
      (handlers[type] as (data: TaskEvent['data'], transcript: Transcript) => void)(data, transcript),
    model: () => transcript.model,
  };
}

type StreamedText = ReturnType<typeof createStreamedText>;

/** The text that was written since the last note: the answer, unless the model calls tools or the attempt fails. */
function createStreamedText(terminal: Terminal) {
  let written = '';
  const write = (text: string) => {
    terminal.write(text);
    written += text;
  };
  const endLine = () => {
    if (written && !written.endsWith('\n')) terminal.write('\n');
  };
  const reset = () => {
    endLine();
    written = '';
  };
  return {
    write,
    endLine,
    /** The next text is another one: of a later step, or of another attempt. */
    reset,
    /** Says that the written text is not part of the answer. */
    discard() {
      endLine();
      if (written) terminal.note('(that broke off and is void)', 'dim');
      written = '';
    },
    /** Writes the answer, unless it is already on the screen. The text that was streamed may be another attempt's. */
    complete(text: string) {
      if (written.trim() !== text.trim()) {
        endLine();
        if (written) terminal.print();
        written = '';
        write(text);
      }
      endLine();
    },
  };
}

const handlers: Handlers = {
  'task.queued': () => {},
  'task.started': ({ model }, transcript) => {
    transcript.model = model;
  },
  'model.started': ({ model, step, attempt }, transcript) => {
    transcript.model = model;
    if (attempt > 1) transcript.answer.discard();
    transcript.answer.reset();
    transcript.terminal.status(`step ${step}: ${model} is thinking …`);
  },
  'text.delta': ({ text }, { stream, answer }) => {
    if (stream) answer.write(text);
  },
  'model.completed': () => {},
  'model.failed': ({ error, willRetry }, { terminal, answer }) => {
    answer.discard();
    terminal.note(`${error.message}${willRetry ? ' Trying again …' : ''}`, 'dim');
  },
  'model.fallback': ({ from, to }, { terminal }) => terminal.note(`${from} does not answer; asking ${to} …`, 'dim'),
  'model.corrected': (_, { terminal, answer }) => {
    answer.reset();
    terminal.note('The answer could not be used; the model gets the reason …', 'dim');
  },
  'context.compacted': ({ method }, { terminal }) =>
    terminal.note(`The conversation was made shorter to fit the model (${method.replaceAll('_', ' ')}).`, 'dim'),
  'tool.started': ({ tool, arguments: input }, { terminal, answer }) => {
    answer.reset();
    terminal.note(`${describeToolCall(tool, input)} …`, 'dim');
  },
  'tool.completed': ({ isError, summary, durationMs }, { terminal }) =>
    terminal.note(`  ${isError ? 'failed: ' : ''}${summary} (${formatDuration(durationMs)})`, 'dim'),
  'artifact.created': (artifact, { terminal }) => terminal.note(`  ${madeLine(artifact)}`, 'dim'),
  'approval.requested': ({ tool, arguments: input, approvalId }, { terminal, answer }) => {
    answer.endLine();
    terminal.note(`Needs approval: ${describeToolCall(tool, input)}`);
    terminal.note(`  alfred approvals approve ${approvalId}, or deny`, 'dim');
  },
  'approval.escalated': () => {},
  'approval.decided': ({ decision, by, comment }, { terminal }) =>
    terminal.note(`  ${decision}${by === null ? '' : ` by ${by}`}${comment ? `: ${comment}` : ''}`, 'dim'),
  'message.steered': ({ text }, { terminal, answer }) => {
    answer.endLine();
    terminal.note(`“${text}”`, 'dim');
  },
  'effect.undone': ({ tool, state, summary }, { terminal }) =>
    terminal.note(`${tool}, ${state.replaceAll('_', ' ')}: ${summary}`, 'dim'),
  'memory.used': ({ memories }, { terminal }) =>
    terminal.note(
      `  knows ${memories.length === 1 ? 'a memory' : `${memories.length} memories`}: alfred memories`,
      'dim',
    ),
  'plan.changed': ({ items }, { terminal, answer }) => {
    answer.endLine();
    for (const { title, agent, status } of items)
      terminal.note(`  ${planMarks[status]} ${title}${agent ? ` (${agent})` : ''}`, 'dim');
  },
  'delegation.started': ({ agent, taskId, request }, { terminal }) =>
    terminal.note(`${agent} works on: ${shortLine(request)} (task ${taskId})`, 'dim'),
  'delegation.ended': ({ agent, status, error, artifacts = [] }, { terminal }) => {
    terminal.note(`  ${agent}: ${status}${error ? `, ${error.message}` : ''}`, 'dim');
    for (const artifact of artifacts) terminal.note(`    ${madeLine(artifact)}`, 'dim');
  },
  'remote.progress': ({ state, message }, { terminal, answer }) => {
    answer.endLine();
    terminal.note(`  ${remoteStates[state]}${message === undefined ? '' : `: ${shortLine(message)}`}`, 'dim');
  },
  'task.waiting': ({ message, scope, limit }, { terminal, answer, taskId }) => {
    answer.endLine();
    terminal.note(`Waiting: ${message}`);
    if (scope === 'task')
      terminal.note(
        `  alfred tasks grant ${taskId} ${limit ? grantOptions[limit] : ''} <new total>, or --finish`,
        'dim',
      );
  },
  'task.resumed': ({ reason }, { terminal, answer }) => {
    // The text that was streamed before the wait may be streamed again.
    answer.reset();
    terminal.note(reason, 'dim');
  },
  'budget.granted': () => {},
  'task.completed': ({ result }, { answer }) => answer.complete(result.text),
  'task.incomplete': ({ result }, { answer }) => answer.complete(result.text),
  'task.failed': (_, { answer }) => answer.endLine(),
  'task.cancelled': (_, { answer }) => answer.endLine(),
};

/** Options of `alfred tasks grant`. */
const grantOptions = {
  maxCostUsd: '--max-cost-usd',
  maxTokens: '--max-tokens',
  maxModelCalls: '--max-model-calls',
  maxDurationS: '--max-duration-s',
} as const;

/** `searching documents: expense report deadline` */
function describeToolCall(tool: string, input: JsonValue): string {
  const fields = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  if (tool === 'search_documents' && typeof fields.query === 'string') return `searching documents: ${fields.query}`;
  if (tool === 'read_document') return 'reading a document';
  if (tool === 'run_code') return 'calculating';
  if (tool === 'analyse_statements') return 'analysing the statements';
  if (tool === 'check_transactions') return 'checking the transactions';
  if (tool === 'calculate_tax') return 'working out taxes';
  if (tool === 'show_rates') return 'reading tax rates';
  if (tool === 'set_plan') return 'planning';
  if (tool === 'audit_compliance') return 'auditing a document';
  if (tool === 'analyse_document') return 'analysing a document';
  if (tool === 'review_contract') return 'reviewing a contract';
  if (tool === 'delegate' && typeof fields.agent === 'string') return `asking ${fields.agent}`;
  return `${tool.replaceAll('_', ' ')}: ${shortLine(JSON.stringify(input))}`;
}

const remoteStates = {
  started: 'The remote agent has begun',
  working: 'The remote agent works',
  asks: 'The remote agent asks',
  failed: 'The remote agent has failed',
  cancelled: 'The remote agent was cancelled there',
  goes_on: 'The remote agent could not be cancelled and may go on',
} as const;
const madeLine = ({ name, bytes }: { name: string; bytes: number }) => `made ${name} (${formatBytes(bytes)})`;

const planMarks = { pending: '☐', running: '◐', done: '☑', failed: '✗', skipped: '–' } as const;

function shortLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
