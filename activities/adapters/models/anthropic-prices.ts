/**
 * US dollars per million tokens: input, cached read, cache write (5 minutes), output.
 *
 * Source: Anthropic's pricing page (platform.claude.com/docs/en/about-claude/pricing) and the model pages beside it, as
 * read on 2026-11-22. A dated model name has the price of the name it begins with.
 */
const prices = {
  'claude-fable-5-1': [10, 0.25, 12.5, 50],
  'claude-fable-5': [10, 1, 12.5, 50],
  'claude-opus-5-5': [4, 0.2, 5, 20],
  'claude-opus-5': [5, 0.5, 6.25, 25],
  'claude-opus-4-8': [5, 0.5, 6.25, 25],
  'claude-opus-4-7': [5, 0.5, 6.25, 25],
  'claude-opus-4-6': [5, 0.5, 6.25, 25],
  'claude-opus-4-5': [5, 0.5, 6.25, 25],
  'claude-sonnet-5-5': [2, 0.1, 2.5, 10],
  'claude-sonnet-5': [2, 0.2, 2.5, 10],
  'claude-sonnet-4-6': [3, 0.3, 3.75, 15],
  'claude-sonnet-4-5': [3, 0.3, 3.75, 15],
  'claude-haiku-4-5': [1, 0.1, 1.25, 5],
} as const satisfies Record<string, readonly [number, number, number, number]>;

export type Price = { input: number; cacheRead: number; cacheWrite: number; output: number };

/** The price of a model, or undefined when the table does not know it. */
export function anthropicPrice(model: string): Price | undefined {
  const name = model.replace(/-\d{8}$/, '');
  if (!(name in prices)) return undefined;
  const [input, cacheRead, cacheWrite, output] = prices[name as keyof typeof prices];
  return { input, cacheRead, cacheWrite, output };
}
