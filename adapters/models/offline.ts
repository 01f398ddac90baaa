import type { JsonValue } from '../../contract/json.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../../contract/ports/index.ts';
import { estimatedUsage } from './estimated-usage.ts';
import { offlineAnswer } from './offline-answer.ts';
import { offlineQuery } from './offline-query.ts';
import { parseCallKey } from './script.ts';
import { streamWords, waitForFirstToken, type SimulatedLatency } from './simulated-latency.ts';

/** Passages that the offline provider asks for: it quotes single sentences, and the best may be in a late one. */
const limit = 10;

/**
 * Answers without a model or network: searches the documents with the question, or calls the tool that the input names,
 * and quotes the results. With a simulated latency it also serves as the model of load tests. Costs nothing; its token
 * counts are estimates.
 */
export const createOfflineProvider = (latency: SimulatedLatency): ModelProvider => ({
  name: 'offline',

  async *stream(request, signal): AsyncIterable<ModelEvent> {
    await waitForFirstToken(latency, signal);
    const call = chooseToolCall(request);
    if (call) {
      yield usageEvent(request, JSON.stringify(call.arguments));
      yield { type: 'end', parts: [{ type: 'tool_call', ...call }], stopReason: 'tools' };
      return;
    }
    const { text, places } = offlineAnswer(request.messages);
    for await (const piece of streamWords(text, latency, signal)) yield { type: 'text', text: piece };
    yield usageEvent(request, text);
    yield {
      type: 'end',
      parts: [{ type: 'text', text, ...(places.length > 0 && { citations: places }) }],
      stopReason: 'end',
    };
  },

  countTokens: async (request) => estimatedUsage(request, 0).inputTokens,
});

const usageEvent = (request: ModelRequest, answer: string): ModelEvent => ({
  type: 'usage',
  usage: estimatedUsage(request, answer.length),
});

/** A user message leads to a call of the tool that it names, else to a search with the question. */
function chooseToolCall({
  messages,
  tools,
  idempotencyKey,
}: ModelRequest): { callId: string; tool: string; arguments: JsonValue } | undefined {
  const last = messages.at(-1);
  // A message with `because` is Alfred's comment on an answer, not a question.
  if (last?.role !== 'user' || last.because) return undefined;
  const callId = `offline-${parseCallKey(idempotencyKey)?.step ?? messages.length}`;
  if (last.tool) return { callId, tool: last.tool.name, arguments: last.tool.arguments };
  const search = tools.find(({ name }) => name === 'search_documents');
  return search && { callId, tool: search.name, arguments: { query: offlineQuery(messages).query, limit } };
}
