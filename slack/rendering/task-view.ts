import type { Approvers } from '../../contract/approval.ts';
import type { TaskEvent } from '../../contract/events.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Citation, Effect, TaskError, TaskStatus, TaskUsage, Waiting } from '../../contract/task.ts';
import { oneLine } from './cut.ts';
import { describeToolCall } from './describe-tool-call.ts';

export type TaskStep = {
  id: string;
  title: string;
  state: 'pending' | 'running' | 'done' | 'error';
  details?: string;
  /** The subject of the person who decided, which `details` names. */
  by?: string;
};

/** A tool call that waits for a person's decision. */
export type PendingCall = {
  id: string;
  callId: string;
  tool: string;
  arguments: JsonValue;
  argumentsHash: string;
  approvers: Approvers;
  fourEyes: boolean;
  /** The delegated task that wants to make it. */
  taskId?: string | undefined;
};

/** A file that the task, or one below it, has made. */
export type TaskFile = { id: string; name: string };

/** What the messages of a task show: a fold over its events. */
export type TaskView = {
  status: TaskStatus;
  /** What Alfred does now, for `assistant.threads.setStatus`, behind its name; empty while it waits, and at the end. */
  statusText: string;
  steps: TaskStep[];
  /** Markdown of the answer so far. It restarts when an attempt's text is void, and at the end it is the result. */
  text: string;
  citations: Citation[];
  /** False: the agent answers from documents, and this answer cites none. */
  grounded?: boolean | undefined;
  error?: TaskError;
  waiting?: Waiting;
  approvals: PendingCall[];
  /** Why it was cancelled. */
  reason?: string;
  effects?: Effect[] | undefined;
  files: TaskFile[];
  usage?: TaskUsage;
  startedAt?: string;
  endedAt?: string;
  /** Number of the newest event in this view. */
  seq: number;
};

export const emptyView: TaskView = {
  status: 'queued',
  statusText: '',
  steps: [],
  text: '',
  citations: [],
  approvals: [],
  files: [],
  seq: 0,
};

type Handlers = {
  [Type in TaskEvent['type']]?: (
    view: TaskView,
    data: Extract<TaskEvent, { type: Type }>['data'],
    event: { seq: number; at: string },
  ) => TaskView;
};

/** Pure. An event that the view has already changes nothing. */
export function applyEvent(view: TaskView, event: TaskEvent): TaskView {
  if (event.seq <= view.seq) return view;
  const handler = handlers[event.type] as
    ((view: TaskView, data: TaskEvent['data'], event: TaskEvent) => TaskView) | undefined;
  return { ...(handler?.(view, event.data, event) ?? view), seq: event.seq };
}

const thinking = 'is thinking …';
const waitId = 'wait-';

/** Whether the step is a wait, which a message says in a section of its own while it lasts. */
export const isWait = ({ id }: Pick<TaskStep, 'id'>): boolean => id.startsWith(waitId);

const handlers: Handlers = {
  'task.queued': (view, _, { at }) => ({ ...view, statusText: 'is about to begin …', startedAt: at }),
  'task.started': (view, _, { at }) => ({ ...view, status: 'running', statusText: thinking, startedAt: at }),
  'model.started': (view, { purpose }) => ({
    ...view,
    statusText: thinking,
    text: purpose === 'summary' ? view.text : '',
  }),
  'text.delta': (view, { text }) => ({ ...view, statusText: 'is writing …', text: view.text + text }),
  'model.failed': (view, { error, willRetry, purpose }) => ({
    ...view,
    statusText: willRetry ? oneLine(`is trying again: ${error.message}`, 100) : view.statusText,
    text: purpose === 'summary' ? view.text : '',
  }),
  'model.fallback': (view, { from, to }, { seq }) => withNote(view, seq, `${from} does not answer; asking ${to}`),
  'model.corrected': (view, _, { seq }) => ({
    ...withNote(view, seq, 'the answer could not be used; the model gets the reason'),
    text: '',
  }),
  'context.compacted': (view, { method }, { seq }) =>
    withNote(view, seq, `the conversation was made shorter to fit the model (${method.replaceAll('_', ' ')})`),
  'tool.started': (view, { callId, tool, arguments: input }) => {
    const title = describeToolCall(tool, input);
    return { ...withStep(view, { id: callId, title, state: 'running' }), statusText: oneLine(`is ${title}`, 100) };
  },
  'tool.completed': (view, { callId, tool, isError, summary }) => ({
    ...withStep(view, {
      id: callId,
      title: titleOf(view, callId) ?? tool.replaceAll('_', ' '),
      state: isError ? 'error' : 'done',
      details: summary,
    }),
    statusText: thinking,
  }),
  'artifact.created': (view, { artifactId: id, name }) => ({ ...view, files: [...view.files, { id, name }] }),
  'approval.requested': (
    view,
    { approvalId: id, callId, tool, arguments: input, argumentsHash, approvers, fourEyes, taskId },
  ) => {
    const step = {
      id: stepOf({ callId, taskId }),
      title: describeToolCall(tool, input),
      state: 'running',
      details: 'needs approval',
    } as const;
    const call = { id, callId, tool, arguments: input, argumentsHash, approvers, fourEyes, taskId };
    return { ...withStep(view, step), approvals: [...view.approvals.filter((other) => other.id !== id), call] };
  },
  'approval.escalated': (view, { approvalId, approvers }) => ({
    ...view,
    approvals: view.approvals.map((call) => (call.id === approvalId ? { ...call, approvers } : call)),
  }),
  'approval.decided': (view, { approvalId, callId, tool, decision, runs, by, comment, taskId }) => ({
    ...withStep(view, {
      id: stepOf({ callId, taskId }),
      title: titleOf(view, stepOf({ callId, taskId })) ?? tool.replaceAll('_', ' '),
      // The end of a delegated call is not shown here.
      state: runs ? (taskId === undefined ? 'running' : 'done') : 'error',
      details: `${decision}${by === null ? '' : ` by ${by}`}${comment ? `: ${comment}` : ''}`,
      ...(by !== null && { by }),
    }),
    approvals: view.approvals.filter(({ id }) => id !== approvalId),
  }),
  'message.steered': (view, { text }, { seq }) => withNote(view, seq, `read: “${oneLine(text, 100)}”`),
  'effect.undone': (view, { callId, state }) => ({
    ...view,
    effects: view.effects?.map((effect) => (effect.callId === callId ? { ...effect, state } : effect)),
  }),
  'memory.used': (view, { memories }, { seq }) =>
    withNote(view, seq, `knows ${memories.length === 1 ? 'a memory' : `${memories.length} memories`} of yours`),
  // The steps of a plan stand among the calls; a later plan changes those with the same title.
  'plan.changed': (view, { items }) =>
    items.reduce(
      (shown, { title, agent, status }) =>
        withStep(shown, {
          id: `plan-${title}`,
          title: agent ? `${title} (${agent})` : title,
          state: planStates[status],
        }),
      view,
    ),
  'delegation.ended': (before, { callId, taskId, status, error, artifacts = [] }) => {
    // Its end has withdrawn what still waited for a decision.
    const view = { ...before, approvals: before.approvals.filter((call) => call.taskId !== taskId) };
    const title = titleOf(view, callId);
    const state = status === 'completed' ? 'done' : 'error';
    const shown = { ...view, files: [...view.files, ...artifacts.map(({ id, name }) => ({ id, name }))] };
    return title === undefined
      ? shown
      : withStep(shown, { id: callId, title, state, ...(error ? { details: error.message } : {}) });
  },
  'remote.progress': (view, { state, message }, { seq }) => {
    if (state === 'goes_on') return withNote(view, seq, 'the remote agent could not be cancelled and may go on');
    return message === undefined ? view : { ...view, statusText: oneLine(message, 100) };
  },
  'task.waiting': (view, waiting, { seq }) => ({
    ...withStep(view, { id: `${waitId}${seq}`, title: `waiting: ${waiting.message}`, state: 'running' }),
    status: waiting.reason === 'worker' ? 'queued' : 'waiting',
    statusText: '',
    waiting,
  }),
  // What was streamed before the wait may be streamed again.
  'task.resumed': (view) => ({
    ...withoutWaiting(view),
    steps: view.steps.map((step) => (isWait(step) ? { ...step, state: 'done' } : step)),
    status: 'running',
    statusText: thinking,
    text: '',
  }),
  'task.completed': (view, { result, usage }, { at }) =>
    ended(view, 'done', {
      status: 'completed',
      text: result.text,
      citations: result.citations,
      grounded: result.grounded,
      usage,
      endedAt: at,
    }),
  'task.incomplete': (view, { result, usage }, { at }) =>
    ended(view, 'error', {
      status: 'incomplete',
      text: result.text,
      citations: result.citations,
      grounded: result.grounded,
      usage,
      endedAt: at,
    }),
  'task.failed': (view, { error, usage }, { at }) =>
    ended(view, 'error', { status: 'failed', error, usage, endedAt: at }),
  'task.cancelled': (view, { reason, usage, effects }, { at }) =>
    ended(view, 'error', { status: 'cancelled', reason, usage, effects, endedAt: at }),
};

const planStates = { pending: 'pending', running: 'running', done: 'done', failed: 'error', skipped: 'done' } as const;

/** A delegated task may name its call as this one does. */
const stepOf = ({ callId, taskId }: Pick<PendingCall, 'callId' | 'taskId'>) =>
  taskId === undefined ? callId : `${taskId}:${callId}`;

const titleOf = (view: TaskView, id: string) => view.steps.find((step) => step.id === id)?.title;

/** A repeated step replaces its first report. */
const withStep = (view: TaskView, step: TaskStep): TaskView => ({
  ...view,
  steps: view.steps.some(({ id }) => id === step.id)
    ? view.steps.map((other) => (other.id === step.id ? step : other))
    : [...view.steps, step],
});

const withNote = (view: TaskView, seq: number, title: string) =>
  withStep(view, { id: `event-${seq}`, title, state: 'done' });

function withoutWaiting(view: TaskView): TaskView {
  const { waiting: _, ...rest } = view;
  return rest;
}

const ended = (view: TaskView, unfinished: TaskStep['state'], change: Partial<TaskView>): TaskView => ({
  ...withoutWaiting(view),
  ...change,
  statusText: '',
  approvals: [],
  steps: view.steps.map((step) =>
    ['pending', 'running'].includes(step.state) ? { ...step, state: unfinished } : step,
  ),
});
