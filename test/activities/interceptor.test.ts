import { describe, expect, jest, test } from '@jest/globals';
import { ApplicationFailure, cancellationSignal, CancelledFailure } from '@temporalio/activity';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivityInterceptor } from '../../activities/interceptor.ts';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import { rethrowMarked } from '../../runtime/database/database-errors.ts';
import type { Logger } from '../../runtime/logger.ts';

const log = { error: jest.fn(), warn: jest.fn(), info: jest.fn(), debug: jest.fn() };
/** An activity's context with the interceptor that every worker has. */
const environment = (attempt = 1, isLocal = false) =>
  new MockActivityEnvironment(
    { attempt, isLocal, activityType: 'callModel' },
    {
      interceptors: [() => ({ inbound: createActivityInterceptor(log as unknown as Logger) })],
      logger: new DefaultLogger('ERROR'),
    },
  );
/** @returns what the server gets when an activity throws `error` */
const failureOf = (error: Error, attempt?: number, isLocal?: boolean) =>
  environment(attempt, isLocal)
    .run(async () => {
      throw error;
    })
    .then(
      () => undefined,
      (failure: unknown) => failure as ApplicationFailure,
    );
/** An activity that runs until it is cancelled. */
const untilCancelled = () =>
  new Promise<never>((_, reject) => {
    const signal = cancellationSignal();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('the failure of an activity', () => {
  test('has the code, the message, the details and the wait of the error, and no stack', async () => {
    const error = new AlfredError('model_rate_limited', 'Too many requests.', {
      retryAfterMs: 7_000,
      details: { reason: 'budget', limit: 'maxTokens', scope: 'task', max: 1, charged: 1, needed: 1 },
    });
    expect(await failureOf(error)).toMatchObject({
      type: 'model_rate_limited',
      message: 'Too many requests.',
      nonRetryable: false,
      nextRetryDelay: 7_000,
      details: [error.details],
      stack: '',
    });
  });

  test('of an unknown error is `internal`, and only the log has its message', async () => {
    const failure = await failureOf(new TypeError('password=hunter2'));
    expect(failure).toMatchObject({ type: 'internal' });
    expect(JSON.stringify(failure) + String(failure?.message)).not.toContain('hunter2');
    expect(log.error).toHaveBeenLastCalledWith(
      expect.objectContaining({ code: 'internal', err: expect.objectContaining({ message: 'password=hunter2' }) }),
      'an activity failed',
    );
  });

  test('is final at the last attempt of its code', async () => {
    const last = maxAttemptsOf('internal');
    expect(await failureOf(new Error('?'), last - 1)).toMatchObject({ nonRetryable: false });
    expect(await failureOf(new Error('?'), last)).toMatchObject({ nonRetryable: true });
  });
});

describe('a statement that the database refuses', () => {
  const refusal = Object.assign(new Error('column "x" does not exist'), { code: '42703', severity: 'ERROR' });
  expect(() => rethrowMarked(refusal)).toThrow();
  const last = maxAttemptsOf('internal');

  test('is not final within the first minutes of a row write: its migration may be about to run', async () => {
    expect(await failureOf(refusal, last, true)).toMatchObject({ type: 'internal', nonRetryable: false });
    expect(await failureOf(refusal, 15, true)).toMatchObject({ nonRetryable: true });
  });

  test('is final at the last attempt of any other activity', async () => {
    expect(await failureOf(refusal, last)).toMatchObject({ type: 'internal', nonRetryable: true });
  });
});

describe('an activity that is stopped', () => {
  test('by a cancellation of its workflow is cancelled', async () => {
    const cancelled = environment();
    const running = cancelled.run(untilCancelled);
    cancelled.cancel('CANCELLED');
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  });

  test('by the shutdown of its worker is repeated by another one', async () => {
    const stopped = environment();
    const running = stopped.run(untilCancelled);
    stopped.cancel('WORKER_SHUTDOWN');
    await expect(running).rejects.toMatchObject({ type: 'draining', nonRetryable: false });
  });
});

describe('the log line of an activity that succeeded', () => {
  const task = { taskId: 't-1', tenant: 'acme', subject: 'ada', agent: 'knowledge' };
  const lineOf = async (activityType: string, argument: object, result: unknown) => {
    log.info.mockClear();
    const environment = new MockActivityEnvironment(
      { activityType, taskQueue: 'agent-knowledge', workflowExecution: { workflowId: 'task/t-1', runId: 'r' } },
      { interceptors: [() => ({ inbound: createActivityInterceptor(log as unknown as Logger) })] },
    );
    await environment.run(async (_: object) => result, argument);
    return log.info.mock.calls;
  };

  test('names the task, the workflow, the queue and the step, and no content', async () => {
    const usage = { inputTokens: 5, outputTokens: 7, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };
    const calls = await lineOf(
      'callModel',
      { task, step: 2, model: 'offline:quote', head: 'h', results: [] },
      { next: 'tools', head: 'i', usage, calls: [{ callId: 'c', tool: 'search_documents' }] },
    );
    expect(calls).toEqual([
      [
        {
          activityType: 'callModel',
          attempt: 1,
          queue: 'agent-knowledge',
          workflowId: 'task/t-1',
          taskId: 't-1',
          ms: expect.any(Number),
          step: 2,
          model: 'offline:quote',
          next: 'tools',
          usage,
        },
        'a step of a task ended',
      ],
    ]);
  });

  test('says how the task ended, and only the code of a failure', async () => {
    const closure = { status: 'failed', code: 'model_loop', message: 'The model quoted a salary.' };
    const [[facts, message] = []] = await lineOf('closeTask', { task, closure }, undefined);
    expect([message, facts]).toEqual([
      'a task ended',
      expect.objectContaining({ status: 'failed', code: 'model_loop' }),
    ]);
    expect(JSON.stringify(facts)).not.toContain('salary');
  });

  test('leaves out what a model calls a tool that does not exist', async () => {
    const [[facts] = []] = await lineOf(
      'runTool',
      { task, step: 1, head: 'h', call: { callId: 'c', tool: 'the salary of Anna' } },
      { callId: 'c', tool: 'the salary of Anna', result: 'r', isError: true, misuse: 'unknown_tool' },
    );
    expect(JSON.stringify(facts)).not.toContain('salary');
  });

  test('is at level debug for activities that change no task', async () => {
    expect(await lineOf('sweepTasks', {}, undefined)).toEqual([]);
  });
});
