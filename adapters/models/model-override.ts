import type { Config } from '../../runtime/config.ts';

type Overrides = NonNullable<Config['ALFRED_MODELS']>;
export type ModelOverride = Overrides[string];

/** `openai:gpt-6-sol-2026-09-22`, `anthropic:claude-haiku-4-5-20251001` → the name before the date. */
export const undated = (name: string) => name.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, '');

/** The override that says the most about a model: its name, then its name without a date, then the longest `…*`. */
export function findOverride(overrides: Overrides, name: string): ModelOverride | undefined {
  for (const exact of [name, undated(name)]) if (Object.hasOwn(overrides, exact)) return overrides[exact];
  const [longest] = Object.keys(overrides)
    .filter((key) => key.endsWith('*') && name.startsWith(key.slice(0, -1)))
    .sort((a, b) => b.length - a.length);
  return longest === undefined ? undefined : overrides[longest];
}
