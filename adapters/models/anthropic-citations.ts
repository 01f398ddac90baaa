import type Anthropic from '@anthropic-ai/sdk';
import type { JsonValue } from '../../contract/json.ts';
import type { CitedPlace } from '../../contract/messages.ts';
import { splitSentences, trimSpan } from '../../contract/rules/sentences.ts';
import { passagesOf, type FoundPassage } from '../../contract/rules/tool-output.ts';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';

type CitablePassage = FoundPassage & { n: number };
type ToolResult = Extract<Message, { role: 'tool' }>['results'][number];

/** Longest title, in characters. The API has a limit and does not document it. */
const maxTitleLength = 200;

/**
 * Whether a request sends passages as search results, which Claude can cite by itself. The API refuses them together
 * with an answer schema.
 */
export const sendsSearchResults = ({ citations, outputSchema }: ModelRequest): boolean =>
  citations === true && !outputSchema;

/**
 * The content of a tool result block. With citations, passages become search results, and the rest of the output comes
 * before them as JSON. The API requires citations to be enabled for all search results of a request or for none.
 */
export function resultContent(
  result: ToolResult,
  asSearchResults: boolean,
): NonNullable<Anthropic.ToolResultBlockParam['content']> {
  const { output } = result;
  const passages = asSearchResults ? citablePassages(result) : [];
  if (passages.length === 0) return typeof output === 'string' ? output : JSON.stringify(output);
  const listedPassages = (passagesOf(output) ?? []).map((passage) => {
    const { text: _, ...passageWithoutText } = passage;
    return isCitable(passage) ? passageWithoutText : passage;
  });
  const rest = JSON.stringify({ ...(output as Record<string, JsonValue>), passages: listedPassages });
  return [{ type: 'text', text: rest }, ...passages.map(searchResult)];
}

/** The passages that a request sends as search results. Citations refer to them by their index in this order. */
export const searchResultsIn = (request: ModelRequest): CitablePassage[] =>
  sendsSearchResults(request)
    ? request.messages.flatMap((message) => (message.role === 'tool' ? message.results.flatMap(citablePassages) : []))
    : [];

/** The API accepts only text as the content of an error. */
const citablePassages = ({ output, isError }: ToolResult): CitablePassage[] =>
  isError ? [] : (passagesOf(output) ?? []).filter(isCitable);

/** An answer refers to passages by number, and the API refuses a search result without text. */
const isCitable = (passage: FoundPassage): passage is CitablePassage =>
  typeof passage.n === 'number' && passage.chunkId !== '' && passage.text.trim() !== '';

/** Each sentence becomes a block, because Claude cites whole blocks. */
const searchResult = ({ n, chunkId, title, headingPath, text }: CitablePassage): Anthropic.SearchResultBlockParam => ({
  type: 'search_result',
  source: chunkId,
  title: `[${n}] ${[...new Set([title, ...headingPath])].join(' › ')}`.slice(0, maxTitleLength),
  content: splitSentences(text).map(({ start, end }) => ({ type: 'text', text: text.slice(start, end) })),
  citations: { enabled: true },
});

/**
 * Finds the passage that a citation refers to.
 *
 * @param results the request's search results, from `searchResultsIn`
 * @returns the passage's number, and the cited place if the passage has the cited text there; undefined when the
 *   citation refers to no search result of the request
 */
export function resolveCitation(
  citation: Anthropic.TextCitation,
  results: CitablePassage[],
): { n: number; place?: CitedPlace } | undefined {
  if (citation.type !== 'search_result_location') return undefined;
  const passage = results[citation.search_result_index];
  if (passage?.chunkId.toWellFormed() !== citation.source) return undefined;
  const { n, chunkId, text } = passage;
  const blocks = splitSentences(text);
  const first = blocks[citation.start_block_index];
  const last = blocks[citation.end_block_index - 1];
  if (!first || !last) return { n };
  const { start, end } = trimSpan(text, { start: first.start, end: last.end });
  const quote = text.slice(start, end);
  const isSameText = withoutWhitespace(quote) === withoutWhitespace(citation.cited_text);
  return isSameText ? { n, place: { chunkId, start, end, quote } } : { n };
}

/** Text for comparison: the API decides how it joins blocks and replaces lone surrogates. */
const withoutWhitespace = (text: string) => text.toWellFormed().replace(/\s+/g, '');
