import { z } from 'zod';
import { Evidence, Highlight, Passage } from '../../contract/documents.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { CitedPlace } from '../../contract/messages.ts';
import type { Message } from '../../contract/ports/index.ts';
import { quoteAround, selectQuote, sentenceAt, sentencesOf, widenQuote } from '../../contract/rules/quote.ts';
import type { Span } from '../../contract/rules/sentences.ts';
import { offlineQuery } from './offline-query.ts';

const howToAddModel =
  'Set ANTHROPIC_API_KEY to have Claude answer, or OPENAI_API_KEY or OPENAI_BASE_URL and ALFRED_MODEL for another model.';
const quotesNotice = `Offline: no model is configured, so these are sentences of the documents, word for word. ${howToAddModel}`;
const notice = `Offline: no model is configured. ${howToAddModel}`;

/** What an agent that does not search says to words that it cannot read as a call. */
const noWords =
  'I cannot understand this request without a model. Ask with fields instead: `alfred agents show` lists those of an agent.';

/** The first line of an answer whose passages come near the question and may not answer it. */
export const mayBeRelated = 'This may be related; it does not clearly answer the question:';

/** Most quotations of an answer. */
const maxQuotes = 6;
/**
 * Longest quotation, in characters: the best one shows most of what stands around its sentence. Chosen on the tuning
 * sets, see docs/adr/0059.
 */
const longestFirst = 700;
const longestOther = 350;
/** Longest query that an answer repeats, in characters. */
const maxShownQuery = 600;

/** A text and the places that it quotes. */
export type OfflineAnswer = { text: string; places: CitedPlace[] };

/**
 * Answers from the last tool results, without a model:
 *
 * - quotes the sentences that come nearest to the question;
 * - says first that they may only be related when the search found no strong evidence, or when no passage names what a
 *   follow-up adds;
 * - says that it does not know when nothing is near;
 * - says that it understands no words when it had nothing to search with.
 *
 * Answers of other agents are shown as they are. Results without passages are shown as JSON.
 */
export function offlineAnswer(messages: Message[], { canSearch = true } = {}): OfflineAnswer {
  const question = messages.findLast((message) => message.role === 'user' && !message.because);
  const last = messages.findLast((message) => message.role === 'tool' || message === question);
  const results = last?.role === 'tool' ? last.results : [];
  const delegated = results.filter(({ tool }) => tool === 'delegate');
  if (delegated.length > 0) return { text: answersOfAgents(delegated.map(({ output }) => output)), places: [] };
  const { query, isFollowUp, quoteQuery, matchesPassage } = offlineQuery(messages);
  const found = results.flatMap(({ output }) => readOutput(output) ?? []);
  const passages = found.filter(({ evidence }) => evidence !== 'none').flatMap((result) => result.passages);
  const matching = passages.find(matchesPassage);
  const shownQuery = shorten(oneLine(query));
  if (passages.length > 0) {
    const first = isFollowUp && quoteQuery !== query ? matching : undefined;
    const quotes = bestQuotes(passages, { quoteQuery, first });
    const lines = quotes.map(({ passage, quote, isCut }) => `“${showLines(quote)}${isCut ? ' …' : ''}” [${passage.n}]`);
    const isClear = matching !== undefined && found.some(({ evidence }) => evidence === 'strong');
    if (!isClear) lines.unshift(mayBeRelated);
    if (isFollowUp) lines.unshift(`Taken as a follow-up: I searched for “${shownQuery}”.`);
    return {
      text: [...lines, quotesNotice].join('\n\n'),
      places: quotes.map(({ passage: { chunkId }, start, end, quote }) => ({ chunkId, start, end, quote })),
    };
  }
  const otherResults = results.filter(({ output }) => readOutput(output) === undefined);
  if (otherResults.length > 0) {
    const shown = otherResults.map(({ tool, output }) => `${tool}: ${JSON.stringify(output)}`);
    return { text: [...shown, notice].join('\n\n'), places: [] };
  }
  if (!canSearch && results.length === 0) return { text: `${noWords}\n\n${notice}`, places: [] };
  return { text: `I don’t know: I found nothing near it. I looked for “${shownQuery}”.\n\n${notice}`, places: [] };
}

const AgentAnswer = z.object({
  agent: z.string().optional(),
  answer: z.string().optional(),
  error: z.string().optional(),
});

/** The answers of the agents that were asked, one below the other, with the numbers of what they cite. */
function answersOfAgents(outputs: JsonValue[]): string {
  const answers = outputs.map((output) => {
    const { agent = 'The agent', answer, error } = AgentAnswer.safeParse(output).data ?? {};
    return answer ?? `${agent} has no answer: ${error ?? 'nothing came back.'}`;
  });
  return answers.join('\n\n');
}

const shorten = (line: string) =>
  line.length > maxShownQuery ? `${line.slice(0, maxShownQuery - 1).toWellFormed()}…` : line;

/** A quotation without the line breaks of its prose; each paragraph, row and list item keeps its line. */
const showLines = (quote: string) =>
  sentencesOf(quote)
    .map(({ start, end, kind }, i, all) => {
      const gap = quote.slice(all[i - 1]?.end ?? start, start);
      const separator = gap && (kind !== 'prose' || /\n\s*\n/.test(gap) ? '\n' : ' ');
      return separator + oneLine(quote.slice(start, end));
    })
    .join('');

const oneLine = (text: string) => text.replace(/\s+/g, ' ');

/** @property isCut whether its last sentence goes on in the passage */
type Quote = Span & { passage: NumberedPassage; quote: string; isCut: boolean };

/**
 * @property quoteQuery what is new in a follow-up. Its highlights were chosen for the earlier questions too
 * @property first      the passage whose sentence on `quoteQuery` comes first
 */
type QuoteOptions = { quoteQuery: string; first: NumberedPassage | undefined };

/** The best sentences of all passages, each with those around it; no text twice. */
function bestQuotes(passages: NumberedPassage[], { quoteQuery, first }: QuoteOptions): Quote[] {
  const sentences = passages.flatMap((passage) => {
    const { highlights, start, text } = passage;
    const inside = highlights.filter((highlight) => highlight.start >= start && highlight.end <= start + text.length);
    return inside.map((highlight) => ({ passage, at: highlight.start - start, score: highlight.score }));
  });
  // Passages of other tools and of older searches have no highlights.
  if (sentences.length === 0)
    return passages.slice(0, maxQuotes).map((passage) => cut(passage, selectQuote(passage.text, quoteQuery)));
  if (first) sentences.push({ passage: first, at: selectQuote(first.text, quoteQuery).start, score: Infinity });
  const quotes: Quote[] = [];
  for (const { passage, at } of sentences.sort((a, b) => b.score - a.score)) {
    if (quotes.length === maxQuotes) break;
    const ofPassage = quotes.filter((quote) => quote.passage.chunkId === passage.chunkId);
    if (ofPassage.some(({ start, end }) => start <= at && at < end)) continue;
    const sentence = cut(passage, sentenceAt(passage.text, at));
    if (quotes.some(({ quote }) => oneLine(quote).includes(oneLine(sentence.quote)))) continue;
    const span = quoteAround(passage.text, at, quotes.length === 0 ? longestFirst : longestOther);
    const beside = ofPassage.find(({ start, end }) => span.start < end && start < span.end);
    const widened = beside && widenQuote(passage.text, beside, at, beside === quotes[0] ? longestFirst : longestOther);
    // A sentence that is among the best is shown, also where a quotation ends right before or after it.
    if (widened) quotes[quotes.indexOf(beside)] = cut(passage, widened);
    else quotes.push(beside ? sentence : cut(passage, span));
  }
  return quotes;
}

const cut = (passage: NumberedPassage, { start, end }: Span): Quote => ({
  passage,
  start,
  end,
  quote: passage.text.slice(start, end),
  isCut: sentencesOf(passage.text).every((sentence) => sentence.end !== end),
});

const NumberedPassage = Passage.partial({ score: true, version: true }).extend({
  n: Passage.shape.start,
  highlights: Highlight.array().default([]),
});
type NumberedPassage = ReturnType<(typeof NumberedPassage)['parse']>;

/** @returns undefined when the output has no list of passages */
function readOutput(output: JsonValue): { passages: NumberedPassage[]; evidence: Evidence } | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return undefined;
  const passages = NumberedPassage.array().safeParse(output.passages).data;
  // Results of versions before `evidence` held passages only when they were near.
  return passages && { passages, evidence: Evidence.safeParse(output.evidence).data ?? 'strong' };
}
