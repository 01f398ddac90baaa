import { expect, test } from '@jest/globals';
import { passedTaskLimit, startsWork, whyNoRoom, whyNothingStarts } from '../../../contract/rules/tenant-rules.ts';

test.each([
  ['GET', 'getTask', false],
  ['DELETE', 'deleteTask', false],
  ['POST', 'cancelTask', false],
  ['POST', 'stopConversation', false],
  ['POST', 'searchDocuments', false],
  ['PUT', 'setTaskReaders', false],
  ['POST', 'createTask', true],
  ['POST', 'sendMessage', true],
  ['POST', 'decideApproval', true],
  ['POST', 'undoTask', true],
  ['PATCH', 'changeSchedule', true],
  ['POST', 'anOperationOfTomorrow', true],
])('%s %s of a suspended tenant starts work: %s', (method, operationId, expected) => {
  expect(startsWork({ method, operationId })).toBe(expected);
});

test('a suspension says why, once', () => {
  const of = (reason: string | null) => whyNothingStarts({ name: 'acme', state: 'suspended', reason })?.message;
  expect(of('The invoice is open.')).toContain('nothing starts. The reason: The invoice is open. What');
  expect(of(null)).toContain('nothing starts. What');
  expect(whyNothingStarts({ name: 'acme', state: 'active', reason: null })).toBeUndefined();
  expect(whyNothingStarts({ name: 'acme', state: 'unlisted', reason: null })?.code).toBe('tenant_unknown');
});

test('a limit is reached and not passed; 0 allows nothing, and no limit everything', () => {
  const tasks = (tasksAtOnce: number, tasksToday: number) => ({ tasksAtOnce, tasksToday });
  expect(passedTaskLimit('a', { tasksAtOnce: 2 }, tasks(2, 9))).toBeUndefined();
  expect(passedTaskLimit('a', { tasksAtOnce: 2 }, tasks(3, 9))?.code).toBe('tenant_limit');
  expect(passedTaskLimit('a', { tasksPerDay: 0 }, tasks(1, 1))?.message).toContain('may have 0 tasks a day');
  expect(passedTaskLimit('a', {}, tasks(1e9, 1e9))).toBeUndefined();
  const stored = { documents: 1, documentMb: 1.5 };
  expect(whyNoRoom('a', { documents: 2, documentMb: 2 }, stored)).toBeUndefined();
  expect(whyNoRoom('a', { documents: 1 }, stored)?.code).toBe('tenant_full');
  expect(whyNoRoom('a', { documentMb: 1 }, stored)?.message).toContain('may have 1 MB, and have 1.');
  expect(whyNoRoom('a', {}, stored)).toBeUndefined();
});
