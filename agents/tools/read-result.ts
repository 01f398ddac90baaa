import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import { characterBoundary } from '../../contract/rules/character-boundary.ts';
import { outputText, partOfOutput } from '../../contract/rules/tool-output.ts';
import type { MessageStore } from '../../contract/ports/index.ts';
import { typedTool } from './typed-tool.ts';

const Input = z.strictObject({
  callId: z.string().min(1).max(500).describe('The callId that the shortened result names'),
  start: z.int().min(0).default(0).describe('Offset of the first character to read'),
  maxCharacters: z.int().min(1).max(20_000).default(8_000).describe('How much to read at the most'),
});

/** Reads a tool result that was shortened or removed from the conversation to save context. Every agent has it. */
export const readResultTool = (conversations: Pick<MessageStore, 'findToolResult'>) =>
  typedTool({
    name: 'read_result',
    description:
      'Reads an earlier tool result of this task that was too long to show or was taken out to make room. `nextStart` says where to go on, and is null at the end.',
    input: Input,
    async run({ callId, start, maxCharacters }, { scope, taskId }) {
      const stored = await conversations.findToolResult(scope, taskId, callId);
      if (stored === undefined)
        throw new AlfredError(
          'not_found',
          `This task has no result of a call "${callId}". Take the callId from what the shortened result says.`,
        );
      const output = JSON.parse(stored) as JsonValue;
      const text = outputText(output);
      if (start > 0 && start >= text.length)
        throw new AlfredError(
          'invalid_request',
          `start is ${start}, and the result has ${text.length} characters. Use a smaller start.`,
        );
      const from = characterBoundary(text, start);
      const end = characterBoundary(text, Math.min(text.length, Math.max(start + maxCharacters, from + 2)));
      const nextStart = end < text.length ? end : null;
      return {
        output: { ...partOfOutput(output, from, end), start: from, characters: text.length, nextStart },
        summary: `${end - from} of ${text.length} characters read`,
      };
    },
  });
