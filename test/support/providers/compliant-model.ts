import type { JsonValue } from '../../../contract/json.ts';

/** What a model reads of a request, whatever the wire. */
export type ModelInput = { words: string; results: string[]; hasTools: boolean; hasSchema: boolean; maxTokens: number };
export type ModelReply = {
  text: string;
  calls: { tool: string; arguments: JsonValue }[];
  isCut: boolean;
};

/** The answer of every request for structured output. */
export const structuredAnswer = { city: 'Oslo', people: 700_000 };

const passagesIn = (result: string) =>
  result.startsWith('{"passages":') ? (JSON.parse(result) as { passages: { n: number; text: string }[] }).passages : [];

/**
 * Does what a capable model does with the requests of `capabilityChecks`, so that those can be tried without one: calls
 * the tools it is told to, with the arguments it is told, repeats words, quotes results and the last passage, keeps to its output limit.
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
