import type { JsonValue } from '../../contract/json.ts';
import type { TaskRow } from '../../contract/ports/index.ts';
import { slicePassage, type FoundPassage } from '../../contract/rules/tool-output.ts';
import type { CheckedCitation } from '../../contract/task.ts';
import type { Outcome } from '../acting/run-tool.ts';

/** How much of a passage stays around its quotation when there is no room for all of it, in characters. */
const aroundQuote = 300;
/** The part of a result that data may take; the answer and the passages that it cites have the rest. */
const dataShare = 0.5;
/** How many of its files are named. */
const mostFiles = 20;

/**
 * What an ended child has to say, as the result of the call that delegated to it. The passages that it cites come with
 * it, so that the parent can cite the same; `citedAs` says which number in `answer` means which passage. When the model
 * reads the result, the numbers in `answer` are those of its own conversation (`numberPassages`). `files` names the
 * files that it has made, which the parent's task shows with its own.
 *
 * @param maxCharacters limit of the result as JSON
 */
export function childOutcome(row: TaskRow, cited: CheckedCitation[], maxCharacters: number): Outcome {
  const { agent, status, result, error, artifacts = [] } = row;
  const files = artifacts.map(({ name }) => name).slice(0, mostFiles);
  const made: Record<string, JsonValue> = files.length > 0 ? { files } : {};
  if (status === 'completed' && result?.asks) return questionOutcome(agent, result.text, result.asks.choices);
  if (status === 'completed' && result) {
    const output = answerOutput(
      { agent, status, ...made },
      { text: result.text, data: result.data },
      cited,
      maxCharacters,
    );
    return { output, summary: `${agent} has answered`, isError: false };
  }
  if (status === 'incomplete' && result) {
    const head = {
      agent,
      status,
      ...made,
      note: 'It reached its share of the budget. This is what it had; say what is missing.',
    };
    const output = answerOutput(head, { text: result.text, data: result.data }, cited, maxCharacters);
    return { output, summary: `${agent} reached its share of the budget`, isError: false };
  }
  const why = error ? `${error.message}` : 'It was cancelled before it had an answer.';
  return {
    output: {
      agent,
      status,
      ...(error ? { code: error.code } : {}),
      error: why,
      ...made,
      note: 'There is no answer of this agent. Try another way once, or go on without it and say what is missing.',
    },
    summary: `${agent}, ${status}: ${why}`,
    isError: true,
  };
}

/** The child needs to know something first. Its question may have been meant for the person, whom it does not reach. */
const questionOutcome = (agent: string, question: string, choices: string[] | undefined): Outcome => ({
  output: {
    agent,
    status: 'asks',
    question,
    ...(choices ? { choices } : {}),
    note: 'This is a question to you, and no answer: the agent has ended its work without one. If you know what it asks for, delegate the whole request again with that in it. If only the person knows, ask the person. Else say what is missing.',
  },
  summary: `${agent} asks back`,
  isError: false,
});

/** For a child whose content was deleted before its answer was read. */
export const lostChildOutcome = (agent: string): Outcome => ({
  output: { agent, status: 'cancelled', error: 'The task of this agent was deleted. Go on without it.' },
  summary: `the task of ${agent} was deleted`,
  isError: true,
});

type Answer = { text: string; data: JsonValue | undefined };

function answerOutput(
  head: Record<string, JsonValue>,
  { text, data }: Answer,
  cited: CheckedCitation[],
  maxCharacters: number,
): JsonValue {
  // Data that leaves no room beside it is read as text, page by page, as a long answer is.
  const isLong = data !== undefined && JSON.stringify(data).length > maxCharacters * dataShare;
  const answer = isLong ? `${text}\n${JSON.stringify(data)}` : text;
  const build = (passages: FoundPassage[]): JsonValue => ({
    ...head,
    answer,
    ...(data === undefined || isLong ? {} : { data }),
    citedAs: Object.fromEntries(passages.map(({ chunkId }, i) => [chunkId, cited[i]?.n ?? 0])),
    ...(passages.length > 0 ? { passages } : {}),
  });
  const whole = build(cited.map((citation) => passageOf(citation)));
  const fits = (output: JsonValue) => JSON.stringify(output).length <= maxCharacters;
  return fits(whole) ? whole : build(cited.map((citation) => aroundQuoteOf(citation)));
}

/** The passage that supports a citation, as the child has read it; its quotation, where that is gone. */
function passageOf({ passage, n: _n, state: _state, now: _now, quote, ...place }: CheckedCitation): FoundPassage {
  const { start, end } = place;
  return { ...place, ...(passage ?? { text: quote, start, end }) } as FoundPassage;
}

function aroundQuoteOf(citation: CheckedCitation): FoundPassage {
  const whole = passageOf(citation);
  const from = Math.max(0, citation.start - whole.start - aroundQuote);
  return slicePassage(whole, from, Math.min(whole.text.length, citation.end - whole.start + aroundQuote));
}
