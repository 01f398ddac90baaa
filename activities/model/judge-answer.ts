import { z } from 'zod';
import type { Agent } from '../../agents/index.ts';
import { type JsonValue, parseJson } from '../../contract/json.ts';
import type { CorrectionReason } from '../../contract/references.ts';
import { findToolCallText } from './find-tool-call-text.ts';

type Judgement = { data?: JsonValue } | { correction: { because: CorrectionReason; text: string } };

/**
 * Checks an answer: it must not be a tool call written as text, and it must fit the agent's answer schema if there is
 * one.
 */
export function judgeAnswer(text: string, agent: Pick<Agent, 'answer'>, tools: readonly string[]): Judgement {
  const tool = findToolCallText(text, tools);
  if (tool !== undefined && !agent.answer) {
    const correction = `You wrote a call of the tool ${tool} as text, so nothing was called. Call tools through the tool interface, or answer in words.`;
    return { correction: { because: 'tool_as_text', text: correction } };
  }
  if (!agent.answer) return {};
  const parsed = agent.answer.safeParse(jsonIn(text));
  if (parsed.success) return { data: parsed.data as JsonValue };
  const faults = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message));
  const correction = `Your answer does not fit its schema: ${faults.join('; ')}. Answer again, with nothing but one JSON value that fits this JSON Schema: ${JSON.stringify(answerSchemaOf(agent))}`;
  return { correction: { because: 'output_invalid', text: correction } };
}

/** JSON Schema of the agent's answer; undefined when it answers in text. */
export const answerSchemaOf = ({ answer }: Pick<Agent, 'answer'>) => {
  if (!answer) return undefined;
  const { $schema: _, ...schema } = z.toJSONSchema(answer, { io: 'input' });
  return schema as Record<string, JsonValue>;
};

/** The JSON value of an answer, with or without a fence around it; undefined when there is none. */
const jsonIn = (text: string): unknown => parseJson(text.trim().replace(/^```\w*\s*|\s*```$/g, ''));
