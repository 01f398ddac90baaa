import { z } from 'zod';
import type { JsonValue } from '../../contract/json.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../../contract/ports/index.ts';
import { routeRequest, type RoutableAgent } from '../../contract/rules/route-request.ts';
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
  isOffline: true,

  async *stream(request, signal): AsyncIterable<ModelEvent> {
    await waitForFirstToken(latency, signal);
    const calls = chooseToolCalls(request);
    if (calls.length > 0) {
      yield usageEvent(request, JSON.stringify(calls.map((call) => call.arguments)));
      const parts = calls.map((call) => ({ type: 'tool_call' as const, ...call }));
      yield { type: 'end', parts, stopReason: 'tools' };
      return;
    }
    const canSearch = request.tools.some(({ name }) => name === 'search_documents');
    const { text, places } = offlineAnswer(request.messages, { canSearch });
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

type OfflineCall = { callId: string; tool: string; arguments: JsonValue };

/**
 * A user message leads to a call of the tool that it names, or to the agents whose words it has, else to a search with
 * the question.
 */
function chooseToolCalls({ messages, tools, idempotencyKey }: ModelRequest): OfflineCall[] {
  const last = messages.at(-1);
  // A message with `because` is Alfred's comment on an answer, not a question.
  if (last?.role !== 'user' || last.because) return [];
  const callId = `offline-${parseCallKey(idempotencyKey)?.step ?? messages.length}`;
  if (last.tool) return [{ callId, tool: last.tool.name, arguments: last.tool.arguments }];
  const routed = routeRequest(last.text, agentsIn(tools));
  if (routed.length > 0)
    return routed.map(({ agent, request }, i) => ({
      callId: `${callId}-${i + 1}`,
      tool: 'delegate',
      arguments: { agent, request },
    }));
  const search = tools.find(({ name }) => name === 'search_documents');
  return search ? [{ callId, tool: search.name, arguments: { query: offlineQuery(messages).query, limit } }] : [];
}

const AgentChoices = z.object({
  properties: z.object({
    agent: z.object({ anyOf: z.object({ const: z.string(), description: z.string() }).array() }),
  }),
});

/** The agents that the tool `delegate` names. */
function agentsIn(tools: ModelRequest['tools']): RoutableAgent[] {
  const delegate = tools.find(({ name }) => name === 'delegate');
  const choices = AgentChoices.safeParse(delegate?.inputSchema).data?.properties.agent.anyOf ?? [];
  return choices.map(({ const: name, description }) => ({ name, description }));
}
