import type { Agent } from '../../agents/index.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { TaskRef } from '../../contract/references.ts';
import { isCitingAgent, placesIn } from '../context/citations.ts';
import type { Fitted } from '../context/fit-context.ts';
import { markQuotations, unknownQuotations } from './check-quotations.ts';
import { citeAnswer, loadCitedResults, type CitationDeps } from './cited-answer.ts';
import { handOverIn } from './hand-over-in.ts';
import { isQuiet } from './is-quiet.ts';
import { judgeAnswer } from './judge-answer.ts';
import type { PrescribedStep } from './prescribed-call.ts';
import { questionIn } from './question-in.ts';
import type { CompletedModelCall } from '../../contract/ports/index.ts';

/** The agent that answers, and the conversation that its model got. */
export type AnswerContext = {
  agent: Agent;
  fitted: Fitted;
  /** The agents that can take the conversation over. */
  heirs?: readonly string[];
  /** Present when code and no model decided the response. */
  prescribed?: PrescribedStep | undefined;
};

/**
 * @returns the result or the correction of a step's response; neither when the response calls tools. `parts`: what is
 *   stored in place of the response
 */
export async function judgeResponse(
  deps: CitationDeps,
  { task, model, agent, fitted, heirs = [], prescribed }: AnswerContext & { task: TaskRef; model: string },
  { text, parts }: { text: string; parts: AssistantPart[] },
): Promise<Pick<CompletedModelCall, 'result' | 'correction'> & Partial<Pick<CompletedModelCall, 'parts'>>> {
  if (parts.some(({ type }) => type === 'tool_call'))
    return questionIn(parts, agent.tools) ?? handOverIn(parts, heirs) ?? {};
  const isByCode = prescribed !== undefined && 'answer' in prescribed;
  const judged = isByCode ? { data: prescribed.data } : judgeAnswer(text, agent, agent.tools);
  if ('correction' in judged) return judged;
  const messages = isByCode ? prescribed.citedIn : await loadCitedResults(deps, task, fitted, text);
  // The brackets of a typed answer are JSON, and an answer by code cites what it says that it cites.
  const isCiting = !isByCode && judged.data === undefined && isCitingAgent(agent);
  const quiet = isQuiet(fitted.conversation.messages);
  const answer = { places: placesIn(parts), messages, model, data: judged.data, isCiting, isByCode, isQuiet: quiet };
  if (isByCode || !agent.quotesExactly) return citeAnswer(deps, { ...answer, text });
  const unknown = unknownQuotations(text, await loadWhole(deps, task, fitted));
  const lastAsked = messages.findLast((message) => message.role === 'user');
  if (unknown.length > 0 && lastAsked?.because !== 'citation_unknown')
    return { correction: { because: 'citation_unknown', text: quotationCorrection(unknown) } };
  return citeAnswer(deps, { ...answer, text: markQuotations(text, unknown) });
}

const quotationCorrection = (unknown: string[]) =>
  `You put between quotation marks what stands in no text that you were given: ${unknown
    .slice(0, 3)
    .map((words) => JSON.stringify(words.slice(0, 200)))
    .join('; ')}. Answer again, and quote only what a tool has returned, word for word.`;

/** All messages of the conversation, also those that a compaction has taken out of the model's sight. */
const loadWhole = async (deps: CitationDeps, task: TaskRef, { head, conversation: { messages } }: Fitted) =>
  messages[0]?.role === 'compaction' ? deps.messageStore.loadAll(task, head) : messages;
