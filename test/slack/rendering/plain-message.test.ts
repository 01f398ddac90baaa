import { expect, test } from '@jest/globals';
import { plainMessage } from '../../../slack/rendering/plain-message.ts';

test('the Markdown of a message becomes sections that hold every character of it', () => {
  const markdown = `# Title\n\n${'A sentence with *marks*. '.repeat(380)}`.trimEnd();
  const footer = { type: 'context' as const, elements: [{ type: 'mrkdwn' as const, text: 'footer' }] };
  const { text, blocks } = plainMessage({ text: 'short', blocks: [{ type: 'markdown', text: markdown }, footer] });
  expect(text).toBe('short');
  const pieces = blocks.map((block) => (block.type === 'section' ? block.text?.text : undefined) ?? '');
  expect(pieces.join('')).toBe(markdown);
  expect(pieces.length).toBeGreaterThan(3);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(3_000);
});

test('a message without Markdown has its text alone', () => {
  expect(plainMessage({ text: 'words', blocks: [] })).toEqual({ text: 'words', blocks: [] });
});
