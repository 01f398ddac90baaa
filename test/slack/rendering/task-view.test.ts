import { describe, expect, it } from '@jest/globals';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { Effect } from '../../../contract/task.ts';
import { applyEvent, emptyView } from '../../../slack/rendering/task-view.ts';
import {
  citation,
  completed,
  delta,
  modelStarted,
  numbered,
  started,
  toolCompleted,
  toolStarted,
  usage,
  viewOf,
} from './events.ts';

const call = { step: 1, callId: 'c1', tool: 'send_email' };
const approvalId = '5f0c2a57-1d1c-4f0e-9a57-4a1b3f0c2a57';
const requested = {
  type: 'approval.requested',
  data: {
    ...call,
    approvalId,
    arguments: { to: 'a@example.org' },
    argumentsHash: 'h',
    approvers: {},
    fourEyes: false,
    expiresAt: '2026-01-08T08:00:00Z',
  },
} as const;
const decided = (decision: 'approved' | 'denied', runs: boolean) =>
  ({
    type: 'approval.decided',
    data: { ...call, approvalId, decision, runs, by: 'anna', comment: 'not now', argumentsHash: 'h', edited: null },
  }) as const;

describe('the view of a task', () => {
  it('grows with the text, and ends with the result', () => {
    const view = viewOf([...started, modelStarted(1), delta('Thirty '), delta('days')]);
    expect(view).toMatchObject({ status: 'running', text: 'Thirty days', statusText: 'is writing …' });
    const end = viewOf([completed('Thirty days [1].', [citation(1)], true)], view);
    expect(end).toMatchObject({ status: 'completed', text: 'Thirty days [1].', statusText: '', grounded: true, usage });
    expect(end.citations).toHaveLength(1);
    expect([end.startedAt, end.endedAt]).toEqual(['2026-01-01T08:00:02.000Z', '2026-01-01T08:00:06.000Z']);
  });

  it('the text restarts with each attempt, after a failure, a correction and a wait', () => {
    const view = viewOf([...started, modelStarted(1), delta('Thir')]);
    expect(viewOf([modelStarted(1, 2)], view).text).toBe('');
    const error = { code: 'model_unavailable', message: 'It broke off.' } as const;
    const failed = viewOf([{ type: 'model.failed', data: { step: 1, attempt: 1, error, willRetry: true } }], view);
    expect(failed).toMatchObject({ text: '', statusText: 'is trying again: It broke off.' });
    expect(
      viewOf([{ type: 'model.corrected', data: { step: 1, reason: 'tool_as_text', message: '' } }], view).text,
    ).toBe('');
    expect(viewOf([{ type: 'task.resumed', data: { reason: 'More budget.' } }], view).text).toBe('');
    const summary = { type: 'model.started', data: { step: 1, attempt: 1, model: 'm', purpose: 'summary' } } as const;
    expect(viewOf([summary], view).text).toBe('Thir');
  });

  it('an event that was applied already changes nothing', () => {
    const events = numbered([...started, modelStarted(1), delta('Thirty'), toolStarted('c1', 'deadline')]);
    const view = events.reduce(applyEvent, emptyView);
    expect(events.reduce(applyEvent, view)).toBe(view);
  });

  it('has a step for each tool call, also when its start is reported twice', () => {
    const view = viewOf([
      ...started,
      toolStarted('c1', 'deadline'),
      toolStarted('c1', 'deadline'),
      toolStarted('c2', 'car'),
    ]);
    expect(view.statusText).toBe('is searching documents: car');
    expect(viewOf([toolCompleted('c1', '3 passages'), toolCompleted('c2', 'No index.', true)], view).steps).toEqual([
      { id: 'c1', title: 'searching documents: deadline', state: 'done', details: '3 passages' },
      { id: 'c2', title: 'searching documents: car', state: 'error', details: 'No index.' },
    ]);
  });

  it('knows the approvals that wait', () => {
    const waiting = { type: 'task.waiting', data: { reason: 'approval', message: 'One approval waits.' } } as const;
    const view = viewOf([...started, requested, waiting]);
    expect(view).toMatchObject({
      status: 'waiting',
      statusText: '',
      approvals: [{ id: approvalId, tool: 'send_email', arguments: { to: 'a@example.org' }, argumentsHash: 'h' }],
    });
    expect(view.steps).toMatchObject([
      { id: 'c1', state: 'running', details: 'needs approval' },
      { title: 'waiting: One approval waits.', state: 'running' },
    ]);
    const escalated = { ...call, approvalId, approvers: { roles: ['boss'] } };
    expect(viewOf([{ type: 'approval.escalated', data: escalated }], view).approvals).toMatchObject([
      { id: approvalId, approvers: { roles: ['boss'] } },
    ]);
    const after = viewOf([decided('approved', true), { type: 'task.resumed', data: { reason: 'Decided.' } }], view);
    expect(after).toMatchObject({ status: 'running', approvals: [] });
    expect(after.waiting).toBeUndefined();
    expect(after.steps).toMatchObject([
      { id: 'c1', title: 'send email: {"to":"a@example.org"}', state: 'running', details: 'approved by anna: not now' },
      { title: 'waiting: One approval waits.', state: 'done' },
    ]);
    expect(viewOf([decided('denied', false)], view).steps[0]).toMatchObject({ state: 'error' });
  });

  it('knows what a delegated task waits for, until that is decided or the task has ended', () => {
    const taskId = '0199c7a2-6f1e-7c3a-9d55-0a4f3b2c1d10';
    const delegated = { step: 1, callId: 'c1', taskId, agent: 'legal' };
    const view = viewOf([
      ...started,
      toolStarted('c1', 'deadline'),
      { type: 'delegation.started', data: { ...delegated, request: 'Write to them.' } },
      { ...requested, data: { ...requested.data, taskId } },
    ]);
    expect(view.approvals).toMatchObject([{ id: approvalId, taskId }]);
    // Its call has the number of a call of this task.
    expect(view.steps).toMatchObject([
      { id: 'c1', title: 'searching documents: deadline' },
      { id: `${taskId}:c1`, details: 'needs approval' },
    ]);
    const { type, data } = decided('approved', true);
    const after = viewOf([{ type, data: { ...data, taskId } }], view);
    expect(after).toMatchObject({ approvals: [], steps: [{ state: 'running' }, { state: 'done' }] });
    const usage = { modelCalls: 1, inputTokens: 1, outputTokens: 1, costUsd: 0 };
    const end = { ...delegated, status: 'cancelled', error: null, usage } as const;
    expect(viewOf([{ type: 'delegation.ended', data: end } as NewTaskEvent], view).approvals).toEqual([]);
  });

  it('tells what happens besides', () => {
    const view = viewOf([
      ...started,
      { type: 'model.fallback', data: { step: 1, from: 'a:1', to: 'b:2', reason: 'outage' } },
      {
        type: 'context.compacted',
        data: { step: 1, method: 'drop_tool_results', dropped: 1, tokensBefore: 2, tokensAfter: 1 },
      },
      { type: 'message.steered', data: { step: 2, messageId: 'm', text: 'And by car?' } },
    ]);
    expect(view.steps.map(({ title }) => title)).toEqual([
      'a:1 does not answer; asking b:2',
      'the conversation was made shorter to fit the model (drop tool results)',
      'read: “And by car?”',
    ]);
  });

  it('a plan is a list of steps that later plans change, and a delegated task ends its call', () => {
    const plan = (status: 'pending' | 'done'): NewTaskEvent => ({
      type: 'plan.changed',
      data: { step: 1, callId: 'p', items: [{ title: 'Read it', agent: 'knowledge', status }] },
    });
    const asked = { ...call, callId: 'd', tool: 'delegate', arguments: { agent: 'knowledge', request: 'Read it.' } };
    const child = { step: 1, callId: 'd', taskId: approvalId, agent: 'knowledge' };
    const error = { code: 'step_limit', message: 'No answer.' } as const;
    const view = viewOf([
      ...started,
      plan('pending'),
      { type: 'tool.started', data: asked },
      plan('done'),
      { type: 'delegation.ended', data: { ...child, status: 'failed', error, usage } },
    ]);
    expect(view.steps).toEqual([
      { id: 'plan-Read it', title: 'Read it (knowledge)', state: 'done' },
      { id: 'd', title: 'asking knowledge', state: 'error', details: 'No answer.' },
    ]);
    expect(viewOf([plan('pending')]).steps).toMatchObject([{ state: 'pending' }]);
  });

  it('the end closes what was open', () => {
    const view = viewOf([...started, modelStarted(1), delta('Sen'), requested]);
    const effect: Effect = {
      callId: 'c0',
      step: 1,
      tool: 'send_email',
      summary: 'Sent.',
      state: 'done',
      at: '2026-01-01T08:00:00Z',
    };
    const cancelled = viewOf(
      [{ type: 'task.cancelled', data: { reason: 'Stopped.', usage, effects: [effect] } }],
      view,
    );
    expect(cancelled).toMatchObject({ status: 'cancelled', reason: 'Stopped.', text: 'Sen', approvals: [] });
    expect(cancelled.steps[0]!.state).toBe('error');
    const undone = { type: 'effect.undone', data: { ...call, callId: 'c0', state: 'undone', summary: '' } } as const;
    expect(viewOf([undone], cancelled).effects![0]!.state).toBe('undone');
    const error = { code: 'step_limit', message: 'No answer.' } as const;
    expect(viewOf([{ type: 'task.failed', data: { error, usage } }], view)).toMatchObject({ status: 'failed', error });
    const waiting = { type: 'task.waiting', data: { reason: 'budget', message: 'The budget is reached.' } } as const;
    const incomplete: NewTaskEvent = {
      type: 'task.incomplete',
      data: { result: { text: 'So far.', citations: [], incomplete: 'budget' }, usage },
    };
    const end = viewOf([waiting, incomplete], view);
    expect(end).toMatchObject({ status: 'incomplete', text: 'So far.' });
    expect(end.waiting).toBeUndefined();
  });

  it('a task without a worker stays queued', () => {
    const waiting = { type: 'task.waiting', data: { reason: 'worker', message: 'No worker.' } } as const;
    expect(viewOf([started[0]!, waiting]).status).toBe('queued');
  });
});
