import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import { characterBoundary } from '../../../contract/rules/character-boundary.ts';
import type { Documents } from '../../../contract/ports/index.ts';
import { typedTool } from '../typed-tool.ts';
import { passageIn } from './passage-in.ts';

const Input = z.strictObject({
  documentId: z
    .string()
    .min(1)
    .max(100)
    .describe('documentId of a passage that a search returned, or of an attached file'),
  start: z.int().min(0).default(0).describe('Offset of the first character to read'),
  maxCharacters: z.int().min(1).max(40_000).default(8_000).describe('How much to read at the most'),
});

export const readDocumentTool = (documents: Pick<Documents, 'read'>) =>
  typedTool({
    name: 'read_document',
    description:
      'Reads on in a document that a search found, where its passages are not enough, or reads a file that is attached to the question. The text comes as one passage that can be cited; `nextStart` says where to go on, and is null at the end.',
    input: Input,
    async run({ documentId, start, maxCharacters }, { scope }) {
      const stored = await documents.read(scope, documentId);
      if (!stored)
        throw new AlfredError(
          'not_found',
          `There is no document "${documentId}". Take the documentId from a passage that search_documents returned.`,
        );
      const { document, text } = stored;
      if (start > 0 && start >= text.length)
        throw new AlfredError(
          'invalid_request',
          `start is ${start}, and "${document.name}" has ${text.length} characters. Use a smaller start.`,
        );
      const from = characterBoundary(text, start);
      const end = characterBoundary(text, Math.min(text.length, Math.max(start + maxCharacters, from + 2)));
      const passage = passageIn(document, { text: text.slice(from, end), start: from, end });
      const nextStart = end < text.length ? end : null;
      return {
        output: { passages: [passage], start: from, characters: text.length, nextStart },
        summary: `${end - from} of ${text.length} characters read`,
      };
    },
  });
