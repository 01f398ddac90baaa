import { expect, test } from '@jest/globals';
import type { NewTaskEvent } from '../../../contract/events.ts';
import { requireMessageBlocks } from '../../../deploy/slack/fake/blocks.ts';
import { renderFinal } from '../../../slack/rendering/render.ts';
import { renderRunFailure } from '../../../slack/rendering/run-result.ts';
import type { SlackMessage } from '../../../slack/rendering/slack-message.ts';
import { completed, delta, modelStarted, started, toolCompleted, toolStarted, usage, viewOf } from './events.ts';

const links = { agent: 'knowledge', taskId: 'task-1', title: 'Prices <of> the week', isUnasked: true };

/** What all members of the channel read of a task that has read and written secrets. */
function show(end: NewTaskEvent): string {
  const work = [modelStarted(1), toolStarted('c1', 'the secret plan'), toolCompleted('c1', 'a secret was found')];
  const decided: NewTaskEvent = {
    type: 'approval.decided',
    data: {
      step: 1,
      callId: 'c2',
      tool: 'pay',
      approvalId: 'a1',
      decision: 'approved',
      runs: true,
      by: 'ben',
      comment: 'a secret comment',
    } as never,
  };
  return textOf(renderFinal(viewOf([...started, ...work, decided, delta('The secret beginning'), end]), links));
}
function textOf(messages: SlackMessage[]): string {
  for (const { blocks } of messages) requireMessageBlocks(blocks as never);
  return JSON.stringify(messages);
}

test('a run that has failed shows code and meaning, and nothing of its question, its work and its error', () => {
  const shown = show({
    type: 'task.failed',
    data: { error: { code: 'tool_failed', message: 'No mail to secret@example.com.' }, usage },
  });
  expect(shown).toMatch(/Prices &lt;of&gt; the week.*This run has failed\.\*.*`tool_failed`/);
  expect(shown).not.toMatch(/secret|ask again|Give the code/i);
});

test('a run that was stopped says that alone: no one there takes anything back', () => {
  const effect = {
    callId: 'c2',
    step: 1,
    tool: 'pay',
    summary: 'paid the secret',
    state: 'done' as const,
    at: '2026-01-01',
  };
  const shown = show({
    type: 'task.cancelled',
    data: { reason: 'A secret reason.', usage, effects: [effect] },
  });
  expect(shown).toContain('This run was stopped before its end.');
  expect(shown).not.toMatch(/secret|ask again|Undo/i);
});

test('an incomplete answer is shown without the steps that led to it', () => {
  const result = { text: 'As far as it came.', citations: [] };
  const shown = show({ type: 'task.incomplete', data: { result, usage } });
  expect(shown).toMatch(/As far as it came\..*reached its budget before the answer was complete/);
  expect(shown).not.toMatch(/secret|Ask for less/);
});

test('an answer stands there with its buttons; an empty one says so', () => {
  expect(show(completed('Forty-two.'))).toMatch(/Forty-two\..*Not useful/);
  expect(show(completed(' '))).toContain('The answer is empty.');
});

test('a run that could not begin has code and meaning, also with a code of a later version', () => {
  const run = { name: 'Prices', subject: 'ann' };
  expect(textOf([renderRunFailure({ ...run, code: 'unknown_agent' })])).toMatch(
    /Prices.*This run could not begin\.\* .+ \(`unknown_agent`\)/,
  );
  expect(textOf([renderRunFailure({ ...run, code: 'later' })])).toContain('(`later`)');
});
