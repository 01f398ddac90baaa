import type { JsonValue } from '../../../contract/json.ts';

/** The parts of a request that the model reads, in the terms of no protocol. */
export type ModelInput = { words: string; results: string[]; hasTools: boolean; hasSchema: boolean; maxTokens: number };
export type ModelReply = {
  text: string;
  calls: { tool: string; arguments: JsonValue }[];
  isCut: boolean;
};

/** The answer to every request for structured output. */
export const structuredAnswer = { city: 'Oslo', people: 700_000 };

const passagesIn = (result: string) =>
  result.startsWith('{"passages":') ? (JSON.parse(result) as { passages: { n: number; text: string }[] }).passages : [];

/**
 * Answers the requests of `capabilityChecks` as a capable model does, so that the checks run without one. It calls the
 * tools that the request asks for, repeats text, quotes tool results and the last passage, and keeps its output limit.
 */
export function followInstructions({ words, results, hasTools, hasSchema, maxTokens }: ModelInput): ModelReply {
  const say = (text: string): ModelReply => {
    const room = maxTokens * 4;
    return { text: text.slice(0, room), calls: [], isCut: text.length > room };
  };
  const passage = results.flatMap(passagesIn).at(-1);
  if (passage) return say(`${passage.text} [${passage.n}]`);
  if (results.length > 0) return say(`The tools said: ${results.join(' and ')}`);
  if (hasSchema) return say(JSON.stringify(structuredAnswer));
  const called = [...words.matchAll(/(\w+) (?:with|and) (?:these arguments: )?(\{[^{}]*\})/g)];
  if (hasTools && called.length > 0)
    return {
      text: '',
      calls: called.map(([, tool = '', given = '']) => ({ tool, arguments: JSON.parse(given) as JsonValue })),
      isCut: false,
    };
  const exactly = /Say exactly: (.+)/.exec(words)?.[1];
  if (exactly) return say(exactly);
  const count = Number(/Count from 1 to (\d+)/.exec(words)?.[1] ?? 0);
  return say(count ? Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('') : 'Hello.');
}
