import { Passage } from '../../contract/documents.ts';
import type { JsonValue } from '../../contract/json.ts';
import { selectQuote } from '../../contract/rules/quote.ts';
import type { Message, ModelEvent, ModelProvider, ModelRequest } from '../../contract/ports/index.ts';
import { estimatedUsage } from './estimated-usage.ts';
import { offlineQuery } from './offline-query.ts';
import { parseCallKey } from './script.ts';
import { streamWords, waitForFirstToken, type SimulatedLatency } from './simulated-latency.ts';

const notice =
  'Offline: no model is configured, so these are the passages that match best, word for word. Set ANTHROPIC_API_KEY to have Claude answer, or OPENAI_API_KEY or OPENAI_BASE_URL and ALFRED_MODEL for another model.';

/** Most passages that an answer quotes. */
const maxQuotes = 3;
/** Longest query that an answer repeats, in characters. */
const maxShownQuery = 600;

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
    const text = composeAnswer(request.messages);
    for await (const piece of streamWords(text, latency, signal)) yield { type: 'text', text: piece };
    yield usageEvent(request, text);
    yield { type: 'end', parts: [{ type: 'text', text }], stopReason: 'end' };
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
  return search && { callId, tool: search.name, arguments: { query: offlineQuery(messages).query } };
}

/** Quotes the passages of the last tool results; without passages, shows the results as JSON. */
function composeAnswer(messages: Message[]): string {
  const question = messages.findLast((message) => message.role === 'user' && !message.because);
  const last = messages.findLast((message) => message.role === 'tool' || message === question);
  const results = last?.role === 'tool' ? last.results : [];
  const { query, isFollowUp, quoteQuery, matchesPassage } = offlineQuery(messages);
  const passages = results.flatMap(({ output }) => passagesOf(output) ?? []).filter(matchesPassage);
  const queryLine = query.replace(/\s+/g, ' ');
  if (passages.length > 0) {
    const quotes = passages.slice(0, maxQuotes).map((passage) => {
      const { start, end } = selectQuote(passage.text, quoteQuery);
      return `“${passage.text.slice(start, end).replace(/\s+/g, ' ')}” [${passage.n}]`;
    });
    const followUpNotice = isFollowUp ? [`Taken as a follow-up: I searched for “${queryLine}”.`] : [];
    return [...followUpNotice, ...quotes, notice].join('\n\n');
  }
  const otherResults = results.filter(({ output }) => passagesOf(output) === undefined);
  if (otherResults.length > 0)
    return `${otherResults.map(({ tool, output }) => `${tool}: ${JSON.stringify(output)}`).join('\n\n')}\n\n${notice}`;
  const isLong = queryLine.length > maxShownQuery;
  const shownQuery = isLong ? `${queryLine.slice(0, maxShownQuery - 1).toWellFormed()}…` : queryLine;
  return `I don’t know: nothing in the documents speaks of that. I looked for “${shownQuery}”.\n\n${notice}`;
}

const NumberedPassage = Passage.partial({ score: true, version: true }).extend({ n: Passage.shape.start });

function passagesOf(output: JsonValue) {
  const list = typeof output === 'object' && output !== null && !Array.isArray(output) ? output.passages : undefined;
  return Array.isArray(list) ? NumberedPassage.array().safeParse(list).data : undefined;
}
