import { describe, expect, test } from '@jest/globals';
import { maxChainTokens, messageBytes, estimateChainTokens } from '../../../activities/context/context-size.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { droppedOutput } from '../../../contract/rules/tool-output.ts';
import { passage } from '../../support/documents/passage.ts';

describe('the size of a conversation', () => {
  const messages: Message[] = [
    { role: 'user', text: 'a'.repeat(400) },
    { role: 'assistant', parts: [{ type: 'text', text: 'b'.repeat(80) }] },
    { role: 'user', text: 'ü'.repeat(20) },
  ];

  test('is estimated by a model’s last count and a quarter of the bytes after it', () => {
    expect(estimateChainTokens({ messages }, 400)).toBe(100 + 100 + 20 + 10);
    expect(estimateChainTokens({ messages, counted: { index: 1, tokens: 700, by: 'other:y' } }, 400)).toBe(710);
  });

  test('is bounded by a count of the same model and every byte after it, and by every byte for another model', () => {
    const countedChain = { messages, counted: { index: 1, tokens: 700, by: 'scripted:x' } };
    expect(maxChainTokens(countedChain, 'scripted:x', 400)).toBe(700 + 40 + 2 * 32);
    expect(maxChainTokens(countedChain, 'other:y', 400)).toBeGreaterThan(400 + 400 + 80 + 40);
  });

  test('includes what search results add to their passages’ JSON: a wrapper for each sentence', () => {
    const results = [
      { callId: 'c', tool: 'look', output: { passages: [passage('a', 'One. Two.\nThree.')] } as never, isError: false },
    ];
    const searchMessage: Message = { role: 'tool', results };
    const bound = (isCiting: boolean) => maxChainTokens({ messages: [searchMessage] }, 'scripted:x', 400, isCiting);
    expect(bound(true) - bound(false)).toBeGreaterThan((1 + 3) * 32);
    expect(bound(true) - bound(false)).toBeLessThan((1 + 3) * 32 + 200);
  });

  test('includes the read_result tool once there is something to read with it', () => {
    const more: Message = {
      role: 'tool',
      results: [{ callId: 'c', tool: 'look', output: droppedOutput('c'), isError: false }],
    };
    const count = { index: 1, tokens: 700, by: 'scripted:x' };
    const bound = (all: Message[]) => maxChainTokens({ messages: all, counted: count }, 'scripted:x', 400);
    expect(bound([...messages, more]) - bound(messages)).toBeGreaterThan(messageBytes(more) + 1_000);
  });
});
