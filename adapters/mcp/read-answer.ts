import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { canonicalJson, parseJson, type JsonObject } from '../../contract/json.ts';
import type { McpAnswer } from '../../contract/ports/index.ts';

/** Longest name of something that is not passed on, in characters, and how many are named. */
const longestName = 200;
const mostNames = 50;

/** Reads text and structured content. Everything else is named, and not passed on. */
export function readAnswer({ content, structuredContent, isError }: CallToolResult): McpAnswer {
  const data = structuredContent as JsonObject | undefined;
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  // A server repeats its structured content as text, for clients that do not know it.
  const own = data === undefined ? texts : texts.filter((text) => !isSame(text, data));
  const omitted = content.flatMap((part) => (part.type === 'text' ? [] : [nameOf(part)]));
  return {
    text: own.join('\n\n'),
    ...(data === undefined ? {} : { data }),
    omitted: omitted.slice(0, mostNames),
    failed: isError === true,
  };
}

const isSame = (text: string, data: JsonObject) => {
  const parsed = parseJson(text);
  return parsed !== undefined && canonicalJson(parsed) === canonicalJson(data);
};

type Part = Exclude<CallToolResult['content'][number], { type: 'text' }>;

function nameOf(part: Part): string {
  const name =
    part.type === 'resource'
      ? `resource ${part.resource.uri}`
      : part.type === 'resource_link'
        ? `resource ${part.uri}`
        : `${part.type} (${part.mimeType})`;
  return name.slice(0, longestName);
}
