import { z } from 'zod';
import { defaultPassages, type SearchResult } from '../../../contract/documents.ts';
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
  limit: z.int().min(1).max(20).default(defaultPassages).describe('How many passages at the most'),
});

export const searchDocumentsTool = (index: Pick<SearchIndex, 'search'>) =>
  typedTool({
    name: 'search_documents',
    needsIndex: true,
    description:
      'Searches the company’s documents by words and meaning and returns the passages that match best, best first, each with how near it comes (`match`: close or loose). Read them before you decide whether they answer the question: a loose match may hold the answer in other words, and a close one may not. It sees nothing but the query, so a follow-up question must be written out: after “How long is the notice period?” the query for “And for managers?” is “notice period for managers”. Search again with other words when the passages do not settle the question.',
    input: Input,
    async run({ query, limit }, { scope, signal }) {
      const {
        passages: found,
        evidence,
        indexVersion,
        corrections,
        unknownCodes,
      } = await index.search(scope, { query, limit }, signal);
      // Scores help people who tune the search. The model does not need them.
      const passages = found.map(({ scores: _, coverage: _coverage, ...passage }) => passage);
      const note = passages.length === 0 ? nothingFound : notes[evidence];
      return {
        // Everything beside the passages stays short: only then are long results read on passage by passage.
        output: {
          query: shortQuery(query, 300),
          evidence,
          ...(note && { note }),
          ...(corrections && { corrections }),
          ...(unknownCodes && { unknownCodes }),
          passages,
          indexVersion,
        },
        summary: summaryOf(shortQuery(query, 100), passages.length, evidence),
      };
    },
  });

type Evidence = SearchResult['evidence'];

/** A note for the model beside the passages. The model decides; the search only knows how near they are. */
const notes: Record<Evidence, string | undefined> = {
  strong: undefined,
  weak: 'The nearest passages are only loosely related; say so if they do not answer.',
  none: 'Nothing near was found; these passages are the nearest. Search once more with other words, or say that you do not know and what you looked for.',
};
const nothingFound =
  'No passage was found. Search once more with other words, or say that you do not know and what you looked for.';

/** One line for people who follow the task. */
function summaryOf(query: string, passages: number, evidence: Evidence): string {
  const found = passages === 1 ? '1 passage found' : `${passages} passages found`;
  const nearness = { strong: '', weak: ', loosely related', none: ', none of them near' }[evidence];
  return `${found} for “${query}”${passages > 0 ? nearness : ''}`;
}

/** A query on one line, shortened to `width` characters. */
function shortQuery(query: string, width: number): string {
  const line = query.replace(/\s+/g, ' ');
  return line.length <= width ? line.toWellFormed() : `${line.slice(0, width - 1).toWellFormed()}…`;
}
