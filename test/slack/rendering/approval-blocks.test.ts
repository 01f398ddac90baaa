import { describe, expect, it } from '@jest/globals';
import { requireMessageBlocks } from '../../../deploy/slack/fake/blocks.ts';
import { shownText } from '../../../deploy/slack/fake/shown-text.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { renderFinal, renderProgress } from '../../../slack/rendering/render.ts';
import { visibleJson } from '../../../slack/rendering/visible-json.ts';
import { delta, modelStarted, started, usage, viewOf } from './events.ts';

const links = { agent: 'knowledge', taskId: 'task-1' };
const requested = (n: number, input: JsonValue = { to: 'a@example.org' }): NewTaskEvent => ({
  type: 'approval.requested',
  data: {
    step: 1,
    callId: `c${n}`,
    tool: 'send_email',
    approvalId: `5f0c2a57-1d1c-4f0e-9a57-${String(n).padStart(12, '0')}`,
    arguments: input,
    argumentsHash: 'h'.repeat(64),
    approvers: { subjects: ['slack:T1:U7', 'anna'], roles: ['boss'] },
    fourEyes: true,
    expiresAt: '2026-01-08T08:00:00Z',
  },
});
const waiting: NewTaskEvent = { type: 'task.waiting', data: { reason: 'approval', message: 'A call waits.' } };

function show(events: NewTaskEvent[], given: { taskId?: string } = links) {
  const message = renderProgress(viewOf([...started, ...events]), given);
  requireMessageBlocks(message.blocks as never);
  return { message, shown: shownText({ ...message, attachments: [] } as never) };
}

describe('a call that waits for a person', () => {
  it('shows its arguments, who decides, and buttons', () => {
    const { message, shown } = show([requested(1), waiting]);
    expect(shown).toContain(
      '*send email* is to be decided by <@U7>, anna, anybody with the role boss, and not by who asked:',
    );
    expect(shown).toContain('{\n  "to": "a@example.org"\n}\n[Approve] [Deny] [Review …]\n[Stop]');
    const values = message.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : [])) as {
      value: string;
    }[];
    expect(values.map(({ value }) => value)).toEqual([
      ...Array<string>(3).fill(`task-1 5f0c2a57-1d1c-4f0e-9a57-000000000001 ${'h'.repeat(64)}`),
      'task-1',
    ]);
  });

  it('whose arguments are long is approved where all of them are read', () => {
    const { shown } = show([requested(1, { text: 'x'.repeat(20_000) }), waiting]);
    expect(shown).not.toContain('[Approve]');
    expect(shown).toContain('[Deny] [Review …]');
  });

  it('is shown in blocks that are no longer than those of the form', () => {
    const { message, shown } = show([requested(1, { text: 'x'.repeat(4_500) }), waiting]);
    const lengths = message.blocks.flatMap((block) =>
      block.type === 'rich_text' ? [JSON.stringify(block).length] : [],
    );
    expect(lengths).toHaveLength(2);
    expect(Math.max(...lengths)).toBeLessThan(3_200);
    expect(shown).toContain('[Approve]');
  });

  it('with many others beside a long text fits into a message', () => {
    const many = Array.from({ length: 20 }, (_, at) => requested(at, { text: '&<'.repeat(3_000) }));
    const { shown } = show([modelStarted(1), delta('word '.repeat(5_000)), ...many, waiting]);
    expect(shown.match(/\[Deny\]/g)).toHaveLength(5);
    expect(shown).toContain('15 more wait.');
  });

  it('shows characters that hide or turn others', () => {
    expect(visibleJson({ to: 'a\u202eb\u200b😀' })).toBe('{\n  "to": "a\\u202eb\\u200b😀"\n}');
  });

  it('names who decided', () => {
    const data = { step: 1, callId: 'c1', tool: 'send_email', argumentsHash: null, edited: null, comment: 'no' };
    const approvalId = '5f0c2a57-1d1c-4f0e-9a57-000000000001';
    const decided = { ...data, approvalId, decision: 'denied', runs: false, by: 'slack:T1:U7' } as const;
    const { shown } = show([requested(1), { type: 'approval.decided', data: decided }]);
    expect(shown).toContain('denied by <@U7>: no');
    expect(shown).not.toContain('[Approve]');
  });
});

describe('buttons of a task', () => {
  it('a wait for a budget offers the same amount again, or as often as the next call needs it', () => {
    const budget = { reason: 'budget', scope: 'task', limit: 'maxCostUsd', message: 'Reached.' } as const;
    const data = { ...budget, max: 0.1, charged: 0.08, needed: 0.05 };
    expect(show([{ type: 'task.waiting', data }]).shown).toContain('[Grant more: $0.2 in all] [Stop]');
    const larger = { ...data, needed: 0.25 };
    expect(show([{ type: 'task.waiting', data: larger }]).shown).toContain('[Grant more: $0.4 in all]');
    const ofTenant = { ...data, scope: 'tenant' } as const;
    expect(show([{ type: 'task.waiting', data: ofTenant }]).shown).not.toContain('Grant');
  });

  it('a task that was stopped offers to undo what it has changed', () => {
    const effect = { callId: 'c', step: 1, tool: 'send_email', summary: null, at: '2026-01-01T08:00:00Z' };
    const end = (state: 'done' | 'undone'): NewTaskEvent => ({
      type: 'task.cancelled',
      data: { reason: 'Stopped.', usage, effects: [{ ...effect, state }] },
    });
    const shown = (state: 'done' | 'undone') =>
      renderFinal(viewOf([...started, end(state)]), links)
        .map((message) => shownText({ ...message, attachments: [] } as never))
        .join('\n');
    expect(shown('done')).toContain('[Undo]');
    expect(shown('undone')).not.toContain('[Undo]');
  });
});
