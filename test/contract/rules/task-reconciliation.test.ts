import { describe, expect, test } from '@jest/globals';
import { isTooManyLost, reconcileTask } from '../../../contract/rules/task-reconciliation.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(now - minutes * 60_000);
const row = {
  status: 'running' as const,
  runId: 'r1',
  updatedAt: minutesAgo(10),
  isErased: false,
};
const judge = (changes: object = {}) => reconcileTask({ ...row, ...changes }, { status: 'not_found' }, now);

describe('a task whose workflow Temporal does not know', () => {
  test('starts again from its row once it has begun, whatever it waits for', () => {
    for (const status of ['running', 'waiting'] as const)
      expect(judge({ status })).toMatchObject({ action: 'restart' });
    // A workflow that went on without a change of the status has left its run.
    expect(judge({ status: 'queued' })).toMatchObject({ action: 'restart' });
  });

  test('is left alone while its workflow may still be on its way', () => {
    expect(judge({ updatedAt: new Date(now - 59_000) })).toEqual({ action: 'none' });
  });

  test('starts also when no run has written: a backlog that Temporal lost looks the same', () => {
    expect(judge({ status: 'queued', runId: null })).toMatchObject({ action: 'restart' });
  });

  test('never begins when its caller got an error and has not repeated the request', () => {
    expect(judge({ status: 'queued', runId: null, hasFailedToStart: true })).toMatchObject({
      action: 'close',
      end: { code: 'never_started' },
    });
  });

  test('fails with the reason when its content was deleted', () => {
    expect(judge({ isErased: true })).toMatchObject({
      end: { code: 'workflow_lost', message: expect.stringContaining('was deleted') },
    });
  });

  test('stays ended when it has ended', () => {
    expect(judge({ status: 'completed' })).toEqual({ action: 'none' });
  });
});

test('a few lost tasks are believed, a large share of many is not', () => {
  expect(isTooManyLost({ lost: 20, of: 20 })).toBe(false);
  expect(isTooManyLost({ lost: 21, of: 50 })).toBe(true);
  expect(isTooManyLost({ lost: 21, of: 5_000 })).toBe(false);
});
