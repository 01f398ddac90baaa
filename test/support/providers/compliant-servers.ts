import { searchResultsIn } from './fake-anthropic-citations.ts';
import { contentOf, type AnthropicBody } from './fake-anthropic-faults.ts';
import { startFakeAnthropic, type AnthropicTurn } from './fake-anthropic.ts';
import type { OpenAiBody } from './fake-openai-faults.ts';
import { startFakeOpenAi, type OpenAiTurn } from './fake-openai.ts';
import { followInstructions } from './compliant-model.ts';

/** Fake servers for both protocols, with `followInstructions` as their model. */
export const startCompliantAnthropic = (key: string) => startFakeAnthropic(key, { otherwise: anthropicTurn });
export const startCompliantOpenAi = (key: string | undefined) => startFakeOpenAi(key, { otherwise: openAiTurn });

function anthropicTurn({
  messages = [],
  tools = [],
  output_config,
  max_tokens = 0,
  ...body
}: AnthropicBody): AnthropicTurn {
  const last = contentOf(messages.at(-1) ?? { content: '' });
  const found = searchResultsIn(messages.slice(-1)).at(-1)?.content;
  if (found) {
    const search_result_index = searchResultsIn(messages).length - 1;
    const cites = [{ search_result_index, start_block_index: 0, end_block_index: found.length }];
    return { blocks: [{ type: 'text', pieces: found.map(({ text }) => String(text)), cites }] };
  }
  const { text, calls, isCut } = followInstructions({
    words: last.flatMap((block) => (block.type === 'text' ? [String(block.text)] : [])).join('\n'),
    results: last.flatMap((block) => (block.type === 'tool_result' ? [String(block.content)] : [])),
    hasTools: tools.length > 0 && !('tool_choice' in body),
    hasSchema: output_config?.format !== undefined,
    maxTokens: max_tokens,
  });
  return {
    blocks: [
      ...(text ? [{ type: 'text', pieces: piecesOf(text) }] : []),
      ...calls.map(({ tool, arguments: given }, i) => ({
        type: 'tool_use',
        id: `toolu_${i}`,
        name: tool,
        pieces: piecesOf(JSON.stringify(given)),
      })),
    ],
    stopReason: calls.length > 0 ? 'tool_use' : isCut ? 'max_tokens' : 'end_turn',
  };
}

function openAiTurn({
  messages = [],
  tools = [],
  response_format,
  max_tokens,
  max_completion_tokens,
}: OpenAiBody): OpenAiTurn {
  const lastOther = messages.findLastIndex(({ role }) => role !== 'tool');
  const results = messages.slice(lastOther + 1).map(({ content }) => textOf(content));
  const { text, calls, isCut } = followInstructions({
    words: textOf(messages.at(-1)?.content),
    results,
    hasTools: tools.length > 0,
    hasSchema: response_format !== undefined,
    maxTokens: max_completion_tokens ?? max_tokens ?? Infinity,
  });
  return {
    text: piecesOf(text),
    ...(calls.length > 0
      ? {
          calls: calls.map(({ tool, arguments: given }, i) => ({
            id: `call_${i}`,
            name: tool,
            pieces: piecesOf(JSON.stringify(given)),
          })),
        }
      : {}),
    ...(isCut ? { finishReason: 'length' } : {}),
  };
}

/** Pieces of three characters, so that even a short text has several. */
const piecesOf = (text: string) => text.match(/[\s\S]{1,3}/gu) ?? [];

const textOf = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content ?? ''));
