import { describe, expect, it } from '@jest/globals';
import { errorCodes } from '../../../contract/errors.ts';
import type { Effect, Waiting } from '../../../contract/task.ts';
import { describeEnd, describeError, describeWaiting } from '../../../slack/rendering/outcome.ts';
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
  const waiting: [Waiting, RegExp][] = [
    [
      { reason: 'budget', message: 'The budget of $1 is reached.', scope: 'task', limit: 'maxCostUsd' },
      /`alfred tasks grant task-1 --max-cost-usd &lt;new total&gt;`/,
    ],
    [{ reason: 'budget', message: 'The tenant has spent its budget.', scope: 'tenant' }, /can raise it/],
    [{ reason: 'outage', message: 'The model is down.' }, /by itself/],
    [{ reason: 'outage', message: 'The key is refused.', because: 'auth' }, /people who run Alfred/],
    [{ reason: 'service', message: 'The index is down.' }, /by itself/],
    [{ reason: 'worker', message: 'No worker.' }, /by itself/],
    [{ reason: 'tenant', message: 'Suspended.' }, /people who run Alfred/],
    [{ reason: 'approval', message: 'An approval waits.' }, /send email: {}\n`alfred approvals approve a1`, or deny$/],
  ];
  it.each(waiting)('$reason: $message', (given, expected) => {
    const approvals = [{ id: 'a1', callId: 'c1', title: 'send email: {}' }];
    const text = describeWaiting(given, { approvals }, 'task-1');
    expect(text).toContain(`*Waiting.* ${given.message}\n`);
    expect(text).toMatch(expected);
  });
});
