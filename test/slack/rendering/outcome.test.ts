import { describe, expect, it } from '@jest/globals';
import { errorCodes } from '../../../contract/errors.ts';
import type { Effect, Waiting } from '../../../contract/task.ts';
import { describeEnd, describeError, describeWaiting } from '../../../slack/rendering/outcome.ts';
import { maxSection } from '../../../slack/rendering/limits.ts';
import { emptyView } from '../../../slack/rendering/task-view.ts';
import { completed, started, viewOf } from './events.ts';

const effect = (n: number, state: Effect['state'] = 'done'): Effect => ({
  callId: `c${n}`,
  step: 1,
  tool: 'send_email',
  summary: `Sent to <!here> ${n}`,
  state,
  at: '2026-01-01T08:00:00Z',
});

describe('how a task ends', () => {
  it('a failure says why, what to do, and its code', () => {
    expect(describeError({ code: 'step_limit', message: 'No answer <yet> @here.' })).toBe(
      ':warning: *This failed.* No answer &lt;yet&gt; @\u2060here.\nAsk for less at once. (`step_limit`)',
    );
    for (const code of errorCodes)
      expect(describeError({ code, message: 'It broke.' })).toMatch(/\n[A-Z].*\. \(`[a-z_]+`\)$/);
  });

  it('a cancelled task says what it had changed', () => {
    const view = { ...emptyView, status: 'cancelled' as const, reason: 'Stopped by Anna.' };
    expect(describeEnd(view)).toContain('*Stopped.* Stopped by Anna.\nNothing was changed.');
    const effects = [effect(1, 'undone'), ...Array.from({ length: 11 }, (_, at) => effect(at + 2))];
    const text = describeEnd({ ...view, effects })!;
    expect(text).toContain('Done before it stopped:\n• Sent to &lt;\u2060!here&gt; 1 (undone)');
    expect(text).toMatch(/\nand 2 more$/);
  });

  it('an incomplete and an empty answer say so; a whole one needs no words', () => {
    expect(describeEnd({ ...emptyView, status: 'incomplete' })).toContain('*Incomplete.*');
    expect(describeEnd(viewOf([...started, completed(' ')]))).toContain('empty');
    expect(describeEnd(viewOf([...started, completed('Yes.')]))).toBeUndefined();
    expect(describeEnd(viewOf(started))).toBeUndefined();
  });
});

describe('why a task waits', () => {
  const waiting: [Waiting, string][] = [
    [
      { reason: 'budget', message: 'The budget is reached.', scope: 'task', limit: 'maxCostUsd' },
      '\n`alfred tasks grant task-1 --max-cost-usd &lt;new total&gt;`, or with `--finish` an end with what there is',
    ],
    [{ reason: 'budget', message: 'The task goes on tomorrow.', scope: 'tenant', limit: 'maxCostUsd' }, ''],
    [{ reason: 'outage', message: 'The task goes on by itself.' }, ''],
    [{ reason: 'approval', message: 'A call waits.' }, ''],
  ];
  it.each(waiting)('$reason: $message', (given, help) => {
    const text = describeWaiting(given, 'task-1');
    expect(text).toBe(`:hourglass_flowing_sand: *Waiting.* ${given.message}${help}`);
  });

  it('fits into a section, with what to do', () => {
    const long = '&'.repeat(5_000);
    const budget = { reason: 'budget', scope: 'task', limit: 'maxCostUsd', message: long } as const;
    const text = describeWaiting(budget, 'task-1');
    expect(text.length).toBeLessThanOrEqual(maxSection);
    expect(text).toContain('alfred tasks grant task-1');
    expect(describeError({ code: 'step_limit', message: long })).toContain('…\nAsk for less at once.');
    const effects = Array.from({ length: 20 }, (_, at) => ({ ...effect(at), summary: long }));
    const cancelled = describeEnd({ ...emptyView, status: 'cancelled', reason: long, effects })!;
    expect(cancelled.length).toBeLessThanOrEqual(maxSection);
    expect(cancelled).toMatch(/and 10 more$/);
  });
});
