import { Passage } from '../../contract/documents.ts';
import type { JsonValue } from '../../contract/json.ts';
import { selectQuote } from '../../contract/rules/quote.ts';
import type { Message, ModelEvent, ModelProvider, ModelRequest } from '../../contract/ports/index.ts';
import { offlineQuery } from './offline-query.ts';
import { waitForFirstToken, streamAtPace, type Pace } from './simulated-latency.ts';
import { parseCallKey } from './step.ts';
import { estimatedUsage } from './estimated-usage.ts';

const notice =
  'Offline: no model is configured, so these are the passages that match best, word for word. Set ANTHROPIC_API_KEY to have Claude answer, or OPENAI_API_KEY or OPENAI_BASE_URL and ALFRED_MODEL for another model.';

/** Passages it quotes at the most. */
const maxQuotes = 3;

/**
 * Answers without any model or network: searches the documents with the question, or calls the tool the input names,
 * and quotes what comes back. Streams at a settable pace, so it serves as the load model too. Costs nothing; its token
 * counts are a quarter of the characters.
 */
export const createOfflineProvider = (pace: Pace): ModelProvider => ({
  name: 'offline',

  async *stream(request, signal): AsyncIterable<ModelEvent> {
    await waitForFirstToken(pace, signal);
    const call = toolToCall(request);
    if (call) {
      yield usage(request, JSON.stringify(call.arguments));
      yield { type: 'end', parts: [{ type: 'tool_call', ...call }], stopReason: 'tools' };
      return;
    }
    const text = compose(request.messages);
    for await (const piece of streamAtPace(text, pace, signal)) yield { type: 'text', text: piece };
    yield usage(request, text);
    yield { type: 'end', parts: [{ type: 'text', text }], stopReason: 'end' };
  },

  countTokens: async (request) => estimatedUsage(request, 0).inputTokens,
});

const usage = (request: ModelRequest, answer: string): ModelEvent => ({
  type: 'usage',
  usage: estimatedUsage(request, answer.length),
});

/** A person's words call a tool: the one that the input names, else the search, with the question. */
function toolToCall({
  messages,
  tools,
  idempotencyKey,
}: ModelRequest): { callId: string; tool: string; arguments: JsonValue } | undefined {
  const last = messages.at(-1);
  // What Alfred says about an answer is no question.
  if (last?.role !== 'user' || last.because) return undefined;
  const callId = `offline-${parseCallKey(idempotencyKey)?.step ?? messages.length}`;
  if (last.tool) return { callId, tool: last.tool.name, arguments: last.tool.arguments };
  const search = tools.find(({ name }) => name === 'search_documents');
  return search && { callId, tool: search.name, arguments: { query: offlineQuery(messages).query } };
}

function compose(messages: Message[]): string {
  const question = messages.findLast((message) => message.role === 'user' && !message.because);
  const last = messages.findLast((message) => message.role === 'tool' || message === question);
  const outputs = last?.role === 'tool' ? last.results : [];
  const searched = offlineQuery(messages);
  const passages = outputs.flatMap(({ output }) => passagesOf(output) ?? []).filter(searched.matchesPassage);
  const shown = searched.query.replace(/\s+/g, ' ');
  if (passages.length > 0) {
    const quotes = passages.slice(0, maxQuotes).map((passage) => {
      const { start, end } = selectQuote(passage.text, searched.quoteQuery);
      return `“${passage.text.slice(start, end).replace(/\s+/g, ' ')}” [${passage.n}]`;
    });
    const followUpNotice = searched.isFollowUp ? [`Taken as a follow-up: I searched for “${shown}”.`] : [];
    return [...followUpNotice, ...quotes, notice].join('\n\n');
  }
  const otherResults = outputs.filter(({ output }) => passagesOf(output) === undefined);
  if (otherResults.length > 0)
    return `${otherResults.map(({ tool, output }) => `${tool}: ${JSON.stringify(output)}`).join('\n\n')}\n\n${notice}`;
  const shortQuery = shown.length > 600 ? `${shown.slice(0, 599).toWellFormed()}…` : shown;
  return `I don’t know: nothing in the documents speaks of that. I looked for “${shortQuery}”.\n\n${notice}`;
}

const NumberedPassage = Passage.partial({ score: true, version: true }).extend({ n: Passage.shape.start });

function passagesOf(output: JsonValue) {
  const list = typeof output === 'object' && output !== null && !Array.isArray(output) ? output.passages : undefined;
  return Array.isArray(list) ? NumberedPassage.array().safeParse(list).data : undefined;
}
