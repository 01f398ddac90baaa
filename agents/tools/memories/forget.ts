import { z } from 'zod';
import type { Memories } from '../../../contract/ports/index.ts';
import { typedTool } from '../typed-tool.ts';

/** Deletes a memory that the person has made. */
export const forgetTool = (memories: Pick<Memories, 'create' | 'delete'>) =>
  typedTool({
    name: 'forget',
    description:
      'Forgets one of the notes that the person asked to remember, by its id. Call it only when the person asks for it. Notes of a group are deleted by who made them.',
    effect: 'write',
    needsNoRule: true,
    repeatable: true,
    input: z.strictObject({ id: z.uuid().describe('As the note shows it') }),
    async run({ id }, { scope, beforeSend }) {
      await beforeSend();
      const found = await memories.delete(scope, id);
      if (!found) return { output: { forgotten: false, why: 'The person has no such note.' }, summary: 'no such note' };
      const { text, group } = found;
      return { output: { forgotten: true, text, ...(group === null ? {} : { group }) }, summary: `forgot: ${text}` };
    },
    async undo(_, output, { scope, taskId, receiptKey, beforeSend }) {
      const { text, group } = output as { text?: string; group?: string };
      if (text === undefined) return { summary: 'nothing was forgotten' };
      await beforeSend();
      const request = { text, ...(group === undefined ? {} : { group }) };
      await memories.create(scope, request, { idempotencyKey: `call ${receiptKey}`, from: { taskId } });
      return { summary: 'it is remembered again' };
    },
  });
