import { Writable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { createTerminal } from '../../../cli/terminal/terminal.ts';
import { createTranscript } from '../../../cli/terminal/transcript.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { describeToolCall } from '../../../slack/rendering/describe-tool-call.ts';

const calls: [string, JsonValue][] = [
  ['search_documents', { query: 'expense report deadline' }],
  ['search_documents', { queries: [] }],
  ['read_document', { id: 'x' }],
  ['send_email', { to: 'a@example.org', subject: 'x'.repeat(200) }],
  ['send_webhook', null],
  ['delegate', { agent: 'knowledge', request: 'How long is the notice?' }],
  ['set_plan', { items: [] }],
];

it.each(calls)('%s is described as on the command line', (tool, input) => {
  let notes = '';
  const stream = (keep: (text: string) => void) =>
    new Writable({
      write: (chunk: Buffer, _, done) => (keep(chunk.toString()), done()),
    }) as unknown as NodeJS.WriteStream;
  const terminal = createTerminal({ stdout: stream(() => {}), stderr: stream((text) => (notes += text)) });
  const data = { step: 1, callId: 'c', tool, arguments: input };
  createTranscript(terminal, { stream: true, taskId: 't' }).show({
    seq: 1,
    at: '2026-01-01T00:00:00Z',
    type: 'tool.started',
    data,
  });
  expect(notes.trim()).toBe(`${describeToolCall(tool, input)} …`);
});
