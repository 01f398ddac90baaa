import type { Config } from '../../runtime/config.ts';

type Overrides = NonNullable<Config['ALFRED_MODELS']>;
export type ModelOverride = Overrides[string];

/** A model's name without its date: `openai:gpt-6-sol-2026-09-22`, `anthropic:claude-haiku-4-5-20251001`. */
export const undated = (name: string) => name.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, '');

/** The most specific override of a model: its full name, then its name without a date, then the longest `prefix*`. */
export function findOverride(overrides: Overrides, name: string): ModelOverride | undefined {
  for (const exact of [name, undated(name)]) if (Object.hasOwn(overrides, exact)) return overrides[exact];
  const [longest] = Object.keys(overrides)
    .filter((key) => key.endsWith('*') && name.startsWith(key.slice(0, -1)))
    .sort((a, b) => b.length - a.length);
  return longest === undefined ? undefined : overrides[longest];
}
