import { contentOf, isBlank, type AnthropicBody, type Block } from './fake-anthropic-faults.ts';

/**
 * A citation of a scripted answer: consecutive blocks of one search result. Further fields are sent unchanged, in place
 * of the generated ones.
 */
export type Cites = { search_result_index: number; start_block_index: number; end_block_index: number } & Partial<{
  type: string;
  source: string;
  cited_text: string;
}>;

type SearchResult = Block & { content?: Block[]; citations?: { enabled?: boolean } };

/**
 * All search results of a request, in the order that `search_result_index` counts: across messages and tool results.
 */
export const searchResultsIn = (messages: NonNullable<AnthropicBody['messages']>): SearchResult[] =>
  messages
    .flatMap(contentOf)
    .flatMap((block) => (block.type === 'tool_result' && Array.isArray(block.content) ? block.content : [block]))
    .filter((block): block is SearchResult => (block as Block).type === 'search_result');

/** A citation as the API sends it. */
export function locationOf({ messages = [] }: AnthropicBody, cites: Cites) {
  const result = searchResultsIn(messages)[cites.search_result_index];
  const cited = result?.content?.slice(cites.start_block_index, cites.end_block_index) ?? [];
  return {
    type: 'search_result_location',
    cited_text: cited.map(({ text }) => String(text)).join(''),
    source: result?.source ?? '',
    title: result?.title ?? null,
    ...cites,
  };
}

/**
 * Checks search results and the content of tool results as the API does. It refuses empty blocks, missing fields,
 * citations that are enabled for only some results or together with an output format, and error results that are not
 * text.
 *
 * @returns the API's error message; undefined for a valid request
 */
export function citationFault({ messages = [], output_config }: AnthropicBody): string | undefined {
  for (const [i, message] of messages.entries())
    for (const [k, block] of contentOf(message).entries()) {
      if (block.type !== 'tool_result' || !Array.isArray(block.content)) continue;
      const fault = contentFault(block.content as Block[], block.is_error === true);
      if (fault) return `messages.${i}.content.${k}.tool_result.content${fault}`;
    }
  const results = searchResultsIn(messages);
  const enabled = results.filter(({ citations }) => citations?.enabled === true).length;
  if (enabled > 0 && enabled < results.length)
    return 'messages: citations must be enabled on all or none of the search results in a request';
  if (enabled > 0 && output_config?.format)
    return 'output_config.format: citations cannot be used with an output format';
  return undefined;
}

function contentFault(content: Block[], isError: boolean): string | undefined {
  for (const [i, block] of content.entries()) {
    if (isBlank(block)) return `.${i}.text: text content blocks must be non-empty`;
    if (isError && block.type !== 'text') return ': all content must be type "text" if "is_error" is true';
    if (block.type !== 'search_result') continue;
    const { content: parts, source, title } = block as SearchResult;
    if (typeof source !== 'string' || !source) return `.${i}.search_result.source: Field required`;
    if (typeof title !== 'string' || !title) return `.${i}.search_result.title: Field required`;
    if (!Array.isArray(parts) || parts.length === 0) return `.${i}.search_result.content: must not be empty`;
    if (parts.some((part) => part.type !== 'text')) return `.${i}.search_result.content: only text blocks are allowed`;
    if (parts.some(isBlank)) return `.${i}.search_result.content: text content blocks must be non-empty`;
  }
  return undefined;
}
