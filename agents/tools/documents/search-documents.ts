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
      // Scores help people who tune the search. The model does not need them.
      const passages = found.passages.map(({ scores: _, coverage: _coverage, ...passage }) => passage);
      if (!found.answerable && passages.length > 0)
        return {
          output: { query: shortQuery(query, 300), passages: [], note: noMatchNote(query, passages.length) },
          summary: `no passage speaks of “${shortQuery(query, 100)}”`,
        };
      return {
        // Everything beside the passages stays short: only then are long results read on passage by passage.
        output: { query: shortQuery(query, 300), passages, indexVersion: found.indexVersion },
        summary: `${passages.length === 1 ? '1 passage' : `${passages.length} passages`} found for “${shortQuery(query, 100)}”`,
      };
    },
  });

/** A query on one line, shortened to `width` characters. */
function shortQuery(query: string, width: number): string {
  const line = query.replace(/\s+/g, ' ');
  return line.length <= width ? line.toWellFormed() : `${line.slice(0, width - 1).toWellFormed()}…`;
}

/**
 * Replaces passages that only share some words with the query: a model would be tempted to answer from them.
 */
const noMatchNote = (query: string, passages: number) =>
  `No document speaks of ${JSON.stringify(shortQuery(query, 300))}: the ${passages} nearest passages share too little with it. Search once more with other words, or say that you do not know and what you looked for.`;
