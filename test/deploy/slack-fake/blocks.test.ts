import { describe, expect, test } from '@jest/globals';
import { problemsOfBlocks, requireMessageBlocks, type Surface } from '../../../deploy/slack/fake/blocks.ts';
import { textOfBlocks } from '../../../deploy/slack/fake/shown-text.ts';
import { type Block, SlackError } from '../../../deploy/slack/fake/types.ts';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const button = (fields: Block = {}) => ({ type: 'button', action_id: 'go', text: plain(4), ...fields });
const actions = (...elements: Block[]) => ({ type: 'actions', elements });
const contextActions = (...elements: Block[]) => ({ type: 'context_actions', elements });
const feedback = (fields: Block = {}) => ({
  type: 'feedback_buttons',
  action_id: 'feedback',
  positive_button: { text: plain(4), value: 'up' },
  negative_button: { text: plain(4), value: 'down' },
  ...fields,
});
const option = (text: number, value = 'v') => ({ text: plain(text), value });
const select = (options: Block[]) => ({ type: 'static_select', action_id: 'pick', options });
const rows = (count: number, columns = 1, text = 'x') =>
  Array.from({ length: count }, () => Array.from({ length: columns }, () => ({ type: 'raw_text', text })));
const many = <Item>(count: number, item: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => item(index));

const errorOf = (blocks: Block[]): string | undefined => {
  try {
    requireMessageBlocks(blocks);
    return undefined;
  } catch (error) {
    if (error instanceof SlackError) return error.code;
    throw error;
  }
};

/** Each limit: a block that is just within it, and one that is just beyond. */
const limits: [what: string, within: Block, beyond: Block, pointer: string][] = [
  [
    '3,000 characters of a section',
    { type: 'section', text: mrkdwn(3_000) },
    { type: 'section', text: mrkdwn(3_001) },
    '/blocks/0/text/text',
  ],
  [
    '10 fields of a section',
    { type: 'section', fields: many(10, () => mrkdwn(2_000)) },
    { type: 'section', fields: many(11, () => mrkdwn(1)) },
    '/blocks/0/fields',
  ],
  [
    '2,000 characters of a field',
    { type: 'section', fields: [mrkdwn(2_000)] },
    { type: 'section', fields: [mrkdwn(2_001)] },
    '/blocks/0/fields/0/text',
  ],
  [
    '150 characters of a header',
    { type: 'header', text: plain(150) },
    { type: 'header', text: plain(151) },
    '/blocks/0/text/text',
  ],
  [
    '12,000 characters of a markdown block',
    { type: 'markdown', text: 'x'.repeat(12_000) },
    { type: 'markdown', text: 'x'.repeat(12_001) },
    '/blocks/0/text',
  ],
  [
    '75 characters of a button',
    actions(button({ text: plain(75) })),
    actions(button({ text: plain(76) })),
    '/blocks/0/elements/0/text/text',
  ],
  [
    '255 characters of an action id',
    actions(button({ action_id: 'x'.repeat(255) })),
    actions(button({ action_id: 'x'.repeat(256) })),
    '/blocks/0/elements/0/action_id',
  ],
  [
    '2,000 characters of a button’s value',
    actions(button({ value: 'x'.repeat(2_000) })),
    actions(button({ value: 'x'.repeat(2_001) })),
    '/blocks/0/elements/0/value',
  ],
  [
    '3,000 characters of an address',
    actions(button({ url: 'x'.repeat(3_000) })),
    actions(button({ url: 'x'.repeat(3_001) })),
    '/blocks/0/elements/0/url',
  ],
  [
    '255 characters of a block id',
    { type: 'divider', block_id: 'x'.repeat(255) },
    { type: 'divider', block_id: 'x'.repeat(256) },
    '/blocks/0/block_id',
  ],
  [
    '25 elements of an actions block',
    actions(...many(25, (index) => button({ action_id: `a${index}` }))),
    actions(...many(26, (index) => button({ action_id: `a${index}` }))),
    '/blocks/0/elements',
  ],
  [
    '10 elements of a context block',
    { type: 'context', elements: many(10, () => mrkdwn(1)) },
    { type: 'context', elements: many(11, () => mrkdwn(1)) },
    '/blocks/0/elements',
  ],
  [
    '75 characters of an option',
    actions(select([option(75)])),
    actions(select([option(76)])),
    '/blocks/0/elements/0/options/0/text/text',
  ],
  [
    '150 characters of an option’s value',
    actions(select([option(1, 'x'.repeat(150))])),
    actions(select([option(1, 'x'.repeat(151))])),
    '/blocks/0/elements/0/options/0/value',
  ],
  [
    '100 options',
    actions(select(many(100, () => option(1)))),
    actions(select(many(101, () => option(1)))),
    '/blocks/0/elements/0/options',
  ],
  [
    '5 elements of a context actions block',
    contextActions(...many(5, (index) => feedback({ action_id: `a${index}` }))),
    contextActions(...many(6, (index) => feedback({ action_id: `a${index}` }))),
    '/blocks/0/elements',
  ],
  [
    '75 characters of a feedback button',
    contextActions(feedback({ positive_button: { text: plain(75), value: 'up' } })),
    contextActions(feedback({ positive_button: { text: plain(76), value: 'up' } })),
    '/blocks/0/elements/0/positive_button/text/text',
  ],
  ['100 rows of a table', { type: 'table', rows: rows(100) }, { type: 'table', rows: rows(101) }, '/blocks/0/rows'],
  [
    '20 columns of a table',
    { type: 'table', rows: rows(1, 20) },
    { type: 'table', rows: rows(1, 21) },
    '/blocks/0/rows/0',
  ],
  [
    '300 characters of a question back',
    actions(button({ confirm: { text: plain(300) } })),
    actions(button({ confirm: { text: plain(301) } })),
    '/blocks/0/elements/0/confirm/text/text',
  ],
];

describe('a limit of Block Kit', () => {
  test.each(limits)('%s', (_what, within, beyond, pointer) => {
    expect(problemsOfBlocks([within], 'message')).toEqual([]);
    const problems = problemsOfBlocks([beyond], 'message');
    expect(problems).toEqual([expect.stringContaining(`[json-pointer:${pointer}]`)]);
    expect(errorOf([beyond])).toBe('invalid_blocks');
  });

  test('50 blocks in a message, 100 in a view', () => {
    const dividers = (count: number) => many(count, () => ({ type: 'divider' }));
    expect(problemsOfBlocks(dividers(50), 'message')).toEqual([]);
    expect(problemsOfBlocks(dividers(51), 'message')).toHaveLength(1);
    expect(problemsOfBlocks(dividers(100), 'modal')).toEqual([]);
    expect(problemsOfBlocks(dividers(101), 'home')).toHaveLength(1);
  });

  test('12,000 characters of markdown blocks in sum, 10,000 of tables', () => {
    const markdown = (length: number) => ({ type: 'markdown', text: 'x'.repeat(length) });
    expect(errorOf([markdown(6_000), markdown(6_000)])).toBeUndefined();
    expect(errorOf([markdown(6_000), markdown(6_001)])).toBe('msg_blocks_too_long');
    const table = (length: number) => ({ type: 'table', rows: rows(10, 1, 'x'.repeat(length / 10)) });
    expect(errorOf([table(10_000)])).toBeUndefined();
    expect(errorOf([table(5_000), table(5_010)])).toBe('invalid_blocks');
  });
});

describe('what Block Kit refuses', () => {
  const refused: [string, Block[], Surface, string][] = [
    ['an unknown block', [{ type: 'poem' }], 'message', '/blocks/0/type'],
    ['a markdown block in a modal', [{ type: 'markdown', text: 'x' }], 'modal', '/blocks/0/type'],
    ['a table on the home tab', [{ type: 'table', rows: rows(1) }], 'home', '/blocks/0/type'],
    ['an empty text', [{ type: 'section', text: { type: 'mrkdwn', text: '' } }], 'message', '/blocks/0/text/text'],
    ['an empty cell', [{ type: 'table', rows: rows(1, 1, '') }], 'message', '/blocks/0/rows/0/0/text'],
    ['mrkdwn in a header', [{ type: 'header', text: mrkdwn(1) }], 'message', '/blocks/0/text/type'],
    [
      'a button in a context block',
      [{ type: 'context', elements: [button()] }],
      'message',
      '/blocks/0/elements/0/type',
    ],
    ['feedback buttons in an actions block', [actions(feedback())], 'message', '/blocks/0/elements/0/type'],
    ['feedback buttons in a modal', [contextActions(feedback())], 'modal', '/blocks/0/type'],
    [
      'a feedback button without a value',
      [contextActions(feedback({ negative_button: { text: plain(4) } }))],
      'message',
      '/blocks/0/elements/0/negative_button',
    ],
    ['a section with nothing', [{ type: 'section' }], 'message', '/blocks/0'],
    ['an actions block without elements', [actions()], 'message', '/blocks/0/elements'],
    ['two elements with one action id', [actions(button(), button())], 'message', '/blocks/0/elements/1/action_id'],
    ['two blocks with one id', many(2, () => ({ type: 'divider', block_id: 'b' })), 'message', '/blocks/1/block_id'],
    ['a data table with one row', [{ type: 'data_table', caption: 'c', rows: rows(1) }], 'message', '/blocks/0/rows'],
    ['a task without a state', [{ type: 'task_card', task_id: '1', title: 'x' }], 'message', '/blocks/0/status'],
  ];
  test.each(refused)('%s', (_what, blocks, surface, pointer) => {
    expect(problemsOfBlocks(blocks, surface)).toEqual([expect.stringContaining(`[json-pointer:${pointer}]`)]);
  });
});

test('blocks as a person reads them', () => {
  const shown = textOfBlocks([
    { type: 'header', text: plain(2) },
    { type: 'markdown', text: '**bold**' },
    { type: 'section', text: mrkdwn(1), accessory: button() },
    { type: 'table', rows: rows(2, 2, 'c') },
    { type: 'divider' },
    {
      type: 'context_actions',
      elements: [
        {
          type: 'feedback_buttons',
          action_id: 'feedback',
          positive_button: { text: { type: 'plain_text', text: 'Good' }, value: 'up' },
          negative_button: { text: { type: 'plain_text', text: 'Bad' }, value: 'down' },
        },
      ],
    },
  ]);
  expect(shown).toBe('xx\n**bold**\nx\n[xxxx]\nc | c\nc | c\n---\n[Good] [Bad]');
});
