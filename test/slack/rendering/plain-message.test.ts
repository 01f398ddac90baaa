import { expect, test } from '@jest/globals';
import { preformattedPieces } from '../../../slack/rendering/approval-blocks.ts';
import { plainMessage, plainMessageWithButtons } from '../../../slack/rendering/plain-message.ts';

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

test('what people press, and what they read before, stays in the plain message', () => {
  const section = { type: 'section' as const, text: { type: 'mrkdwn' as const, text: '*pay* is to be decided' } };
  const actions = { type: 'actions' as const, elements: [] };
  const feedback = { type: 'context_actions' as const, elements: [] };
  const footer = { type: 'context' as const, elements: [{ type: 'mrkdwn' as const, text: 'footer' }] };
  const args = `{ "to": "${'x'.repeat(4_000)}" }`;
  const blocks = [
    { type: 'markdown' as const, text: 'So far.' },
    section,
    ...preformattedPieces(args),
    actions,
    footer,
    feedback,
  ];
  const plain = plainMessageWithButtons({ text: 'short', blocks });
  expect(plain.blocks.map(({ type }) => type)).toEqual([
    'section',
    'section',
    'section',
    'section',
    'actions',
    'context_actions',
  ]);
  expect(plain.blocks[1]).toBe(section);
  const texts = plain.blocks.map((block) => (block.type === 'section' ? block.text?.text : undefined) ?? '');
  expect([texts[0], texts.slice(2).join('')]).toEqual(['So far.', args]);
  expect(plainMessage({ text: 'short', blocks }).blocks).toHaveLength(1);
});
