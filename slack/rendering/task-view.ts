import type { TaskEvent } from '../../contract/events.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Citation, Effect, TaskError, TaskStatus, TaskUsage, Waiting } from '../../contract/task.ts';

export type TaskStep = { id: string; title: string; state: 'running' | 'done' | 'error'; details?: string };

/** What the messages of a task show: a fold over its events. */
export type TaskView = {
  status: TaskStatus;
  /** What Alfred does now, for `assistant.threads.setStatus`; empty at the end. */
  statusText: string;
  steps: TaskStep[];
  /** Markdown of the answer so far. It restarts when an attempt's text is void, and at the end it is the result. */
  text: string;
  citations: Citation[];
  /** False: the agent answers from documents, and this answer cites none. */
  grounded?: boolean | undefined;
  error?: TaskError;
  waiting?: Waiting;
  /** Why it was cancelled. */
  reason?: string;
  effects?: Effect[] | undefined;
  usage?: TaskUsage;
  model?: string;
  startedAt?: string;
  endedAt?: string;
  /** Number of the newest event in this view. */
  seq: number;
};

export const emptyView: TaskView = { status: 'queued', statusText: '', steps: [], text: '', citations: [], seq: 0 };

type Handlers = {
  [Type in TaskEvent['type']]?: (
    view: TaskView,
    data: Extract<TaskEvent, { type: Type }>['data'],
    at: string,
  ) => TaskView;
};

/** Pure. An event that the view has already is ignored. */
export function applyEvent(view: TaskView, event: TaskEvent): TaskView {
  if (event.seq <= view.seq) return view;
  const handler = handlers[event.type] as
    ((view: TaskView, data: TaskEvent['data'], at: string) => TaskView) | undefined;
  return { ...(handler?.(view, event.data, event.at) ?? view), seq: event.seq };
}

const handlers: Handlers = {
  'task.queued': (view, _, at) => ({ ...view, statusText: 'is waiting for a worker …', startedAt: at }),
  'task.started': (view, { model }, at) => ({
    ...view,
    status: 'running',
    statusText: 'is thinking …',
    model,
    startedAt: at,
  }),
  'model.started': (view, { model, purpose }) => ({
    ...view,
    statusText: 'is thinking …',
    ...(purpose === undefined ? { text: '', model } : {}),
  }),
  'text.delta': (view, { text }) => ({ ...view, text: view.text + text }),
  'tool.started': (view, { callId, tool, arguments: input }) => ({
    ...view,
    statusText: `is ${describeToolCall(tool, input)} …`,
    steps: [...view.steps, { id: callId, title: describeToolCall(tool, input), state: 'running' }],
  }),
  'tool.completed': (view, { callId, isError, summary }) => ({
    ...view,
    statusText: 'is thinking …',
    steps: view.steps.map((step) =>
      step.id === callId ? { ...step, state: isError ? 'error' : 'done', details: summary } : step,
    ),
  }),
  'task.waiting': (view, waiting) => ({ ...view, status: 'waiting', statusText: '', waiting }),
  'task.resumed': (view) => {
    const { waiting: _, ...rest } = view;
    return { ...rest, status: 'running', statusText: 'is thinking …', text: '' };
  },
  'task.completed': (view, { result, usage }, at) => ended(view, { status: 'completed', ...result, usage }, at),
  'task.incomplete': (view, { result, usage }, at) => ended(view, { status: 'incomplete', ...result, usage }, at),
  'task.failed': (view, data, at) => ended(view, { status: 'failed', ...data }, at),
  'task.cancelled': (view, data, at) => ended(view, { status: 'cancelled', ...data }, at),
};

function ended(view: TaskView, change: Partial<TaskView>, at: string): TaskView {
  const { waiting: _, ...rest } = view;
  return { ...rest, ...change, statusText: '', endedAt: at };
}

function describeToolCall(tool: string, input: JsonValue): string {
  const fields = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  if (tool === 'search_documents' && typeof fields.query === 'string') return `searching documents: ${fields.query}`;
  if (tool === 'read_document') return 'reading a document';
  return tool.replaceAll('_', ' ');
}
