import { insertContent } from '../../adapters/postgres/messages/contents.ts';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import { estimateMessageTokens } from '../../activities/context/context-size.ts';
import type { MessageStore, ModelProvider, Tool } from '../../contract/ports/index.ts';
import type { MessageHead, Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/** Measured when a model call reaches the provider. Summaries are not measured. */
export type MeasuredCall = { atMs: number; tokens: number; residentBytes: number };

const resultCharacters = 6_000;
const textOf = (step: number) => `Page ${step} says how the matter goes on, and the next one is needed. `.repeat(3);
const pageOf = (step: number) => `Page ${step}. ${`${step} lines of a page that nobody reads twice. `.repeat(200)}`;

/**
 * A scripted model that reads a page by its tool at every call, and counts a token for every four bytes of its input.
 *
 * @param calls            the last one answers without reading
 * @param onEveryHundredth awaited before the calls 1, 101, 201 …
 */
export function createPageReader(calls: number, onEveryHundredth: () => Promise<void>) {
  const measuredCalls: MeasuredCall[] = [];
  let summaries = 0;
  const provider: ModelProvider = {
    name: 'scripted',
    async *stream({ messages, instructions, idempotencyKey }) {
      const tokens = estimateMessageTokens(messages, instructions.length);
      const [, step = '', summary] = idempotencyKey.split('/');
      const text = summary ? textOf(++summaries).repeat(20) : textOf(Number(step));
      if (!summary && Number(step) % 100 === 1) await onEveryHundredth();
      if (!summary) measuredCalls.push({ atMs: performance.now(), tokens, residentBytes: process.memoryUsage.rss() });
      yield { type: 'text', text };
      const usage = { inputTokens: tokens, outputTokens: 80, cacheReadTokens: 0, cacheWriteTokens: 0 };
      yield { type: 'usage', usage };
      const readsPage = !summary && Number(step) < calls;
      const call = {
        type: 'tool_call' as const,
        callId: `page-${step}`,
        tool: 'read_page',
        arguments: { step: Number(step) },
      };
      yield {
        type: 'end',
        parts: [{ type: 'text', text }, ...(readsPage ? [call] : [])],
        stopReason: readsPage ? 'tools' : 'end',
      };
    },
  };
  const tool: Tool = {
    name: 'read_page',
    description: 'Reads a page',
    inputSchema: { type: 'object' },
    run: (input) => {
      const { step } = input as { step: number };
      return Promise.resolve({ output: pageOf(step).slice(0, resultCharacters), summary: `page ${step}` });
    },
  };
  return { provider, tool, measuredCalls };
}

/** Appends pages that were read before the task, until the conversation has this many tokens. */
export async function addReadPages(
  { messageStore, db }: { messageStore: MessageStore; db: Database },
  scope: Scope,
  head: MessageHead,
  tokens: number,
): Promise<MessageHead> {
  for (let step = -1; -step * (resultCharacters + textOf(step).length) < tokens * 4; step--) {
    const content = JSON.stringify(pageOf(step).slice(0, resultCharacters));
    await insertContent(scope, hashHex(content), content).execute(db);
    const callId = `page${step}`;
    head = await messageStore.append(scope, head, {
      role: 'assistant',
      parts: [
        { type: 'text', text: textOf(step) },
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
