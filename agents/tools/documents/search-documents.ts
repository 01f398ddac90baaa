import { z } from 'zod';
import type { SearchIndex } from '../../../contract/ports/index.ts';
import { typedTool } from '../typed-tool.ts';

const Input = z.strictObject({
  query: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .describe(
      'What to look for, understood without the conversation: the words that a passage with the answer would use, with what “it”, “there” or “last year” stand for written out',
    ),
  limit: z.int().min(1).max(20).default(6).describe('How many passages at the most'),
});

export const searchDocumentsTool = (index: Pick<SearchIndex, 'search'>) =>
  typedTool({
    name: 'search_documents',
    description:
      'Searches the company’s documents by words and meaning and returns the passages that match best, best first. It sees nothing but the query, so a follow-up question must be written out: after “How long is the notice period?” the query for “And for managers?” is “notice period for managers”. Search again with other words when the passages do not settle the question.',
    input: Input,
    async run({ query, limit }, { scope, signal }) {
      const found = await index.search(scope, { query, limit }, signal);
      // Where a passage stood in which list is for people who tune a search, not for a model.
      const passages = found.passages.map(({ scores: _, coverage: _coverage, ...passage }) => passage);
      if (!found.answerable && passages.length > 0)
        return {
          output: { query: shown(query, 300), passages: [], note: nothing(query, passages.length) },
          summary: `no passage speaks of “${shown(query, 100)}”`,
        };
      return {
        // What else there is beside the passages stays short: long results are read on passage by passage.
        output: { query: shown(query, 300), passages, indexVersion: found.indexVersion },
        summary: `${passages.length === 1 ? '1 passage' : `${passages.length} passages`} found for “${shown(query, 100)}”`,
      };
    },
  });

/** A query in one line. */
function shown(query: string, width: number): string {
  const line = query.replace(/\s+/g, ' ');
  return line.length <= width ? line.toWellFormed() : `${line.slice(0, width - 1).toWellFormed()}…`;
}

/** What merely shares a word with the question would tempt into an answer. */
const nothing = (query: string, passages: number) =>
  `No document speaks of ${JSON.stringify(shown(query, 300))}: the ${passages} nearest passages share too little with it. Search once more with other words, or say that you do not know and what you looked for.`;
