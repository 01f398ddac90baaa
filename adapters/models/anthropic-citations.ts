import type Anthropic from '@anthropic-ai/sdk';
import type { JsonValue } from '../../contract/json.ts';
import type { CitedPlace } from '../../contract/messages.ts';
import { splitSentences, trimSpan } from '../../contract/rules/quote.ts';
import { passagesOf, type FoundPassage } from '../../contract/rules/tool-output.ts';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';

type CitablePassage = FoundPassage & { n: number };
type Result = Extract<Message, { role: 'tool' }>['results'][number];

/** Longest title, in characters; the API limits it and does not say to what. */
const maxTitleLength = 200;

/** Whether passages are sent as search results, which Claude cites by itself. Beside an answer schema the API refuses them. */
export const sendsSearchResults = ({ citations, outputSchema }: ModelRequest): boolean => citations === true && !outputSchema;

/**
 * A tool's output as its result is sent: with passages as search results, which must be all on or all off in a request,
 * the rest of the output as JSON before them; else all of it as text or JSON.
 */
export function resultContent(
  result: Result,
  isCiting: boolean,
): NonNullable<Anthropic.ToolResultBlockParam['content']> {
  const { output } = result;
  const passages = isCiting ? citablePassages(result) : [];
  if (passages.length === 0) return typeof output === 'string' ? output : JSON.stringify(output);
  const rest = (passagesOf(output) ?? []).map((passage) => {
    const { text: _, ...facts } = passage;
    return isCitable(passage) ? facts : passage;
  });
  const payload = JSON.stringify({ ...(output as Record<string, JsonValue>), passages: rest });
  return [{ type: 'text', text: payload }, ...passages.map(searchResult)];
}

/** The passages that a request sends as search results, in the order in which the API counts them. */
export const searchResultsIn = (request: ModelRequest): CitablePassage[] =>
  sendsSearchResults(request)
    ? request.messages.flatMap((message) => (message.role === 'tool' ? message.results.flatMap(citablePassages) : []))
    : [];

/** What an error says must be text. */
const citablePassages = ({ output, isError }: Result): CitablePassage[] =>
  isError ? [] : (passagesOf(output) ?? []).filter(isCitable);

/** One without a number could not be named, and one without text is refused. */
const isCitable = (passage: FoundPassage): passage is CitablePassage =>
  typeof passage.n === 'number' && passage.chunkId !== '' && passage.text.trim() !== '';

/** Claude cites whole blocks, so that a passage has one for each of its sentences. */
const searchResult = ({ n, chunkId, title, headingPath, text }: CitablePassage): Anthropic.SearchResultBlockParam => ({
  type: 'search_result',
  source: chunkId,
  title: `[${n}] ${[...new Set([title, ...headingPath])].join(' › ')}`.slice(0, maxTitleLength),
  content: splitSentences(text).map(({ start, end }) => ({ type: 'text', text: text.slice(start, end) })),
  citations: { enabled: true },
});

/**
 * What Claude cites: the passage's number, and the place in it when what stands there is what the citation says.
 *
 * @param results of the request, as `searchResultsIn` has them
 * @returns undefined when the citation names no search result of the request
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
  const [first, last] = [blocks[citation.start_block_index], blocks[citation.end_block_index - 1]];
  if (!first || !last) return { n };
  const { start, end } = trimSpan(text, { start: first.start, end: last.end });
  const quote = text.slice(start, end);
  return withoutWhitespace(quote) === withoutWhitespace(citation.cited_text) ? { n, place: { chunkId, start, end, quote } } : { n };
}

/** Words alone: how blocks are joined, and what half characters became, is the API's affair. */
const withoutWhitespace = (text: string) => text.toWellFormed().replace(/\s+/g, '');
