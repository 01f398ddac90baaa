import { insertContent } from '../../adapters/postgres/messages/contents.ts';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import { estimateMessageTokens } from '../../activities/context/context-size.ts';
import type { MessageStore, ModelProvider, Tool } from '../../contract/ports/index.ts';
import type { MessageHead, Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/** What is measured at every model call of a turn, when it reaches the provider. */
export type Seen = { atMs: number; tokens: number; residentBytes: number };

const resultCharacters = 6_000;
const saying = (step: number) => `Page ${step} says how the matter goes on, and the next one is needed. `.repeat(3);
const page = (step: number) => `Page ${step}. ${`${step} lines of a page that nobody reads twice. `.repeat(200)}`;

/**
 * A model that reads page after page, `calls` times, and counts a token for every four bytes it is sent.
 *
 * @param atEveryHundredth awaited before the calls 1, 101, 201 …
 */
export function longTalker(calls: number, atEveryHundredth: () => Promise<void>) {
  const seen: Seen[] = [];
  let summaries = 0;
  const provider: ModelProvider = {
    name: 'scripted',
    async *stream({ messages, instructions, idempotencyKey }) {
      const tokens = estimateMessageTokens(messages, instructions.length);
      const [, step = '', summary] = idempotencyKey.split('/');
      const text = summary ? saying(++summaries).repeat(20) : saying(Number(step));
      if (!summary && Number(step) % 100 === 1) await atEveryHundredth();
      if (!summary) seen.push({ atMs: performance.now(), tokens, residentBytes: process.memoryUsage.rss() });
      yield { type: 'text', text };
      const usage = { inputTokens: tokens, outputTokens: 80, cacheReadTokens: 0, cacheWriteTokens: 0 };
      yield { type: 'usage', usage };
      const reads = !summary && Number(step) < calls;
      const call = {
        type: 'tool_call' as const,
        callId: `page-${step}`,
        tool: 'read_page',
        arguments: { step: Number(step) },
      };
      yield {
        type: 'end',
        parts: [{ type: 'text', text }, ...(reads ? [call] : [])],
        stopReason: reads ? 'tools' : 'end',
      };
    },
  };
  const tool: Tool = {
    name: 'read_page',
    description: 'Reads a page',
    inputSchema: { type: 'object' },
    run: (input) => {
      const { step } = input as { step: number };
      return Promise.resolve({ output: page(step).slice(0, resultCharacters), summary: `page ${step}` });
    },
  };
  return { provider, tool, seen };
}

/** Continues a conversation with pages read earlier, until it has so many tokens. */
export async function readAhead(
  { messageStore, db }: { messageStore: MessageStore; db: Database },
  scope: Scope,
  head: MessageHead,
  tokens: number,
): Promise<MessageHead> {
  for (let step = -1; -step * (resultCharacters + saying(step).length) < tokens * 4; step--) {
    const content = JSON.stringify(page(step).slice(0, resultCharacters));
    await insertContent(scope, hashHex(content), content).execute(db);
    const callId = `page${step}`;
    head = await messageStore.append(scope, head, {
      role: 'assistant',
      parts: [
        { type: 'text', text: saying(step) },
        { type: 'tool_call', callId, tool: 'read_page', arguments: { step } },
      ],
    });
    head = await messageStore.append(scope, head, {
      role: 'tool',
      results: [{ callId, tool: 'read_page', result: hashHex(content), isError: false }],
    });
  }
  return head;
}
