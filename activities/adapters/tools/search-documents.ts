import { z } from 'zod';
import type { SearchIndex } from '../../ports.ts';
import { typedTool } from './typed-tool.ts';

const Input = z.strictObject({
  query: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .describe('What to look for: the words that a passage with the answer would use'),
  limit: z.int().min(1).max(20).default(6).describe('How many passages at the most'),
});

export const searchDocumentsTool = (index: Pick<SearchIndex, 'search'>) =>
  typedTool({
    name: 'search_documents',
    description:
      'Searches the company’s documents by words and meaning and returns the passages that match best, best first. Search again with other words when they do not settle the question.',
    input: Input,
    async run({ query, limit }, { scope, signal }) {
      const found = await index.search(scope, { query, limit }, signal);
      // Where a passage stood in which list is for people who tune a search, not for a model.
      const passages = found.passages.map(({ scores: _, coverage: _coverage, ...passage }) => passage);
      if (!found.answerable && passages.length > 0)
        return {
          output: { passages: [], note: nothing(query, passages.length) },
          summary: 'no passage speaks of it',
        };
      return {
        output: { passages, indexVersion: found.indexVersion },
        summary: passages.length === 1 ? '1 passage found' : `${passages.length} passages found`,
      };
    },
  });

/** What merely shares a word with the question would tempt into an answer. */
const nothing = (query: string, passages: number) =>
  `No document speaks of ${JSON.stringify(query)}: the ${passages} nearest passages share too little with it. Search once more with other words, or say that you do not know and what you looked for.`;
