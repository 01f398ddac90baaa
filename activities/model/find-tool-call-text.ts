import { parseJson } from '../../contract/json.ts';

/**
 * Detects a tool call written as text, as small models do: JSON that names one of the tools and has arguments, with or
 * without a code fence or tags around it. Prose that mentions a tool is not a call.
 *
 * @returns the tool's name
 */
export function findToolCallText(text: string, tools: readonly string[]): string | undefined {
  const bare = text
    .trim()
    .replace(/^<(tool_call|function_call|tool_use)>\s*|\s*<\/(tool_call|function_call|tool_use)>$/g, '')
    .replace(/^```\w*\s*|\s*```$/g, '')
    .trim();
  if (!/^[[{]/.test(bare)) return undefined;
  const value = parseJson(bare);
  const [call] = Array.isArray(value) ? (value as unknown[]) : [value];
  if (typeof call !== 'object' || call === null) return undefined;
  const { name, tool, function: fn, arguments: args, parameters, input } = call as Record<string, unknown>;
  const inner = typeof fn === 'object' && fn !== null ? (fn as Record<string, unknown>) : {};
  const named = [name, tool, fn, inner['name']].find((each) => typeof each === 'string');
  const given = args ?? parameters ?? input ?? inner['arguments'];
  return typeof named === 'string' && tools.includes(named) && given !== undefined ? named : undefined;
}
