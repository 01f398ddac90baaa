import { createHash } from 'node:crypto';
import { toolOfAgent, type Agent } from '../../agents/index.ts';
import { isRecord, type JsonValue } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { Message, ModelGate, ModelProvider, StopReason, Tool } from '../../contract/ports/index.ts';
import { noUsage } from '../../contract/references.ts';
import { agentAnswerOf, outputText } from '../../contract/rules/tool-output.ts';
import { numberPassages } from '../context/citations.ts';

/**
 * A step that is taken by code, without a model: the call that a user asked for, or the answer to it that its tool has
 * given. `data`: the answer as data. `citedIn`: the passages that it cites; empty when its brackets are no citations.
 */
export type PrescribedStep =
  | { call: { name: string; arguments: JsonValue } }
  | { answer: string; data: JsonValue | undefined; citedIn: Message[] };

/** The longest data of an answer, in characters of JSON. */
const longestData = 200_000;

/**
 * The step that a user's message decides.
 *
 * - A message that asks for a call and has not been answered yet: the call, because a model does not always follow
 *   words that ask for one.
 * - Words that the agent itself reads as a call, where no model is there that could.
 * - A call that was asked for and that a tool with `answers` has answered: its answer, because a model could misquote
 *   it. Where the tool has refused the call: why, because a model would make another one.
 *
 * @param options `findResult`: the whole result of a call as JSON; the conversation has it shortened
 * @returns undefined where a model decides
 */
export async function prescribedStepIn(
  messages: Message[],
  {
    agent,
    tools,
    isOffline = false,
    findResult,
  }: {
    agent: Agent;
    tools: Readonly<Record<string, Tool>>;
    isOffline?: boolean | undefined;
    findResult: (callId: string) => Promise<string | undefined>;
  },
): Promise<PrescribedStep | undefined> {
  const [asked, , answered] = messages.slice(-3);
  const last = messages.at(-1);
  if (last?.role === 'user') {
    const call = last.tool ?? (isOffline && !last.because ? agent.offlineCall?.(last.text) : undefined);
    return call && { call };
  }
  if (asked?.role !== 'user' || !(asked.tool || isOffline) || answered?.role !== 'tool') return undefined;
  const [result, ...others] = answered.results;
  if (!result || others.length > 0 || !toolOfAgent(agent, tools, result.tool)?.answers) return undefined;
  const stored = await findResult(result.callId);
  const output = stored === undefined ? result.output : (JSON.parse(stored) as JsonValue);
  if (result.isError) return refusalIn(output);
  const numbered = numberPassages([...messages.slice(0, -1), { role: 'tool', results: [{ ...result, output }] }]);
  return answerIn(output, numbered.slice(-1));
}

/** @param numbered the message of the output, with the numbers that its passages have in the conversation */
function answerIn(output: JsonValue, numbered: Message[]): PrescribedStep | undefined {
  const [shown] = numbered.flatMap((message) => (message.role === 'tool' ? message.results : []));
  if (!isRecord(shown?.output) || typeof shown.output.answer !== 'string') return undefined;
  const { answer, data } = shown.output as { answer: string; data?: JsonValue };
  const citedIn = agentAnswerOf(output) ? numbered : [];
  const { length } = data === undefined ? '' : JSON.stringify(data);
  if (length <= longestData) return { answer, data, citedIn };
  const note = `The data of this answer is left out: it has ${length} characters, and ${longestData} are possible.`;
  return { answer: `${answer}\n\n${note}`, data: undefined, citedIn };
}

function refusalIn(output: JsonValue): PrescribedStep {
  const { error, code } = isRecord(output) ? output : {};
  const message = typeof error === 'string' ? error : outputText(output);
  return {
    answer: message,
    data: { error: { ...(typeof code === 'string' ? { code } : {}), message } },
    citedIn: [],
  };
}

/** A provider that responds with this step, and costs nothing. */
export const createPrescribedProvider = (name: string, prescribed: PrescribedStep): ModelProvider => ({
  name,
  async *stream({ idempotencyKey }, signal) {
    signal.throwIfAborted();
    const { costUsd: _, ...usage } = noUsage;
    if ('answer' in prescribed) yield { type: 'text', text: prescribed.answer };
    yield { type: 'usage', usage };
    yield { type: 'end', ...responseOf(prescribed, idempotencyKey) };
  },
});

function responseOf(prescribed: PrescribedStep, key: string): { parts: AssistantPart[]; stopReason: StopReason } {
  if ('answer' in prescribed) return { parts: [{ type: 'text', text: prescribed.answer }], stopReason: 'end' };
  // The same in every attempt, in the form that the strictest provider accepts: nine letters and digits.
  const callId = createHash('sha256').update(`${key}/prescribed`).digest('hex').slice(0, 9);
  const { name: tool, arguments: input } = prescribed.call;
  return { parts: [{ type: 'tool_call', callId, tool, arguments: input }], stopReason: 'tools' };
}

/** No model is called, so no model's state is asked or changed. */
export const openGate: ModelGate = {
  enter: async () => ({ open: true }),
  leave: async () => {},
  recordSuccess: async () => {},
  recordFailure: async () => false,
  recordDenial: async () => false,
  recordRateLimit: async () => {},
};
