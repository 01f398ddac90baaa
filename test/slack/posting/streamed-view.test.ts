import { expect, test } from '@jest/globals';
import { applyToStream, emptyStreamedView } from '../../../slack/posting/streamed-view.ts';
import type { NewEvent } from './memory-ports.ts';
import { taskEvents } from './posting-stage.ts';

const fold = (...events: NewEvent[]) =>
  events
    .map((event, index) => ({ ...event, seq: index + 1, at: '2026-01-05T09:00:00.000Z' }))
    .reduce(applyToStream, emptyStreamedView).text;

test('the texts of steps stand one after the other', () => {
  const { step, text, stepDone } = taskEvents;
  expect(fold(step(1), text('a'), text('b'), stepDone(1), step(2), text('c', 2))).toBe('ab\n\nc');
});

test('a new attempt at a step makes the text of the earlier attempt void, and keeps that of earlier steps', () => {
  const { step, text } = taskEvents;
  expect(fold(step(1), text('a'), step(2), text('b', 2), step(2, 2))).toBe('a');
  expect(fold(step(1), text('a'), step(1, 2), text('b', 1, 2))).toBe('b');
});

test('after a reset in Temporal the text of the repeated steps is void', () => {
  const { step, text } = taskEvents;
  expect(fold(step(1), text('a'), step(2), text('b', 2), step(3), text('c', 3), step(2), text('d', 2))).toBe('a\n\nd');
});

test('text that the model had to correct is void', () => {
  const { step, text } = taskEvents;
  const corrected: NewEvent = { type: 'model.corrected', data: { step: 2, reason: 'tool_as_text', message: 'no' } };
  expect(fold(step(1), text('a'), step(2), text('b', 2), corrected, step(3), text('c', 3))).toBe('a\n\nc');
});

test('a call that only shortens the conversation changes nothing', () => {
  const { step, text } = taskEvents;
  const summary = { type: 'model.started', data: { step: 1, attempt: 1, model: 'm', purpose: 'summary' } } as NewEvent;
  expect(fold(step(1), text('a'), summary)).toBe('a');
});
