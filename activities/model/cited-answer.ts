import type { JsonValue } from '../../contract/json.ts';
import type { CitedPlace } from '../../contract/messages.ts';
import type { TaskRef } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import {
  citationsOf,
  citedNotShown,
  hasCitations,
  numberPassages,
  replaceUnknownCitations,
  unknownNumbers,
} from '../context/citations.ts';
import { addMissingCitations } from '../context/find-support.ts';
import type { Fitted } from '../context/fit-context.ts';
import type { CompletedModelCall, Message, MessageChain, MessageStore } from '../../contract/ports/index.ts';

export type CitationDeps = { messageStore: Pick<MessageStore, 'loadAll' | 'loadResults'>; metrics: Metrics };

type Answer = {
  text: string;
  /** What the provider marked as cited. */
  places: CitedPlace[];
  /** Messages with all passages that the answer cites. */
  messages: Message[];
  model: string;
  data?: JsonValue | undefined;
  /** The agent answers from passages, so brackets are citations also before a tool was called. */
  isCiting: boolean;
  /** A tool wrote it: brackets that name no passage are none of ours. */
  isByCode: boolean;
  /** There is nothing to report. */
  isQuiet: boolean;
};

/**
 * Adds citations to an answer. If the answer cites unknown passages, the model gets one correction; the second time,
 * the unknown citations are replaced. If the answer of a citing agent cites nothing, code looks for the passages that
 * support it. Otherwise brackets are not taken as citations in a conversation without tool results.
 */
export function citeAnswer(
  { metrics }: CitationDeps,
  { text, places, messages, model, data, isCiting, isByCode, isQuiet }: Answer,
): Pick<CompletedModelCall, 'result' | 'correction'> {
  const hasToolResults = messages.some((message) => message.role === 'tool');
  const mayCite = !isByCode && (isCiting || hasToolResults);
  const unknown = mayCite ? unknownNumbers(text, messages) : [];
  const lastUserMessage = messages.findLast((message) => message.role === 'user');
  if (unknown.length > 0 && lastUserMessage?.because !== 'citation_unknown')
    return {
      correction: {
        because: 'citation_unknown' as const,
        text: hasToolResults
          ? `You cite [${unknown.join('], [')}], and there is no passage of that number. Answer again, and cite only passages that a tool has returned, by the number they have there.`
          : `You cite [${unknown.join('], [')}], and no tool has returned a passage yet. Search first, then answer again, and cite only passages that a tool has returned, by the number they have there.`,
      },
    };
  const lacksCitations = isCiting && !hasCitations(text);
  const knownText = unknown.length > 0 ? replaceUnknownCitations(text, unknown) : text;
  const citedText = lacksCitations ? addMissingCitations(text, messages) : knownText;
  const citations = citationsOf(citedText, messages, places);
  for (const { chunkId, quote } of citations) {
    const isQuotedByModel = places.some((place) => place.chunkId === chunkId && place.quote === quote);
    metrics.citations.inc({ model, quoted_by: isQuotedByModel ? 'model' : 'code' });
  }
  const grounded = isCiting ? { grounded: citations.length > 0 } : {};
  const quiet = isQuiet ? { quiet: true as const } : {};
  return { result: { text: citedText, citations, ...(data === undefined ? {} : { data }), ...grounded, ...quiet } };
}

/**
 * The conversation's messages, with all results that the answer cites. After a compaction, only the results that first
 * showed the cited passages are loaded, so the cost does not depend on the conversation's length.
 */
export async function loadCitedResults(
  { messageStore }: CitationDeps,
  task: TaskRef,
  { head, conversation: { messages } }: Pick<Fitted, 'head'> & { conversation: Pick<MessageChain, 'messages'> },
  text: string,
): Promise<Message[]> {
  const [root, ...shown] = messages;
  const cited = root?.role === 'compaction' ? citedNotShown(text, messages) : [];
  if (root?.role !== 'compaction' || cited.length === 0) return messages;
  const shownBy = Object.entries(root.shownBy ?? {}).filter(([, numbers]) => numbers.some((n) => cited.includes(n)));
  const locatedNumbers = shownBy.flatMap(([, numbers]) => numbers);
  // Compactions stored by an earlier version do not record which result showed a passage.
  if (!cited.every((n) => locatedNumbers.includes(n))) return numberPassages(await messageStore.loadAll(task, head));
  const outputs = await messageStore.loadResults(
    task,
    shownBy.map(([result]) => result),
  );
  const results = outputs.map((output) => ({ callId: '', tool: '', isError: false, output }));
  return numberPassages([root, { role: 'tool', results }, ...shown]);
}
