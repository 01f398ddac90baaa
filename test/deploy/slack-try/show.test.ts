import { expect, test } from '@jest/globals';
import { createShowBlocks } from '../../../deploy/slack/try/blocks.ts';
import { showMarkdown } from '../../../deploy/slack/try/markdown.ts';
import { showMrkdwn } from '../../../deploy/slack/try/mrkdwn.ts';
import type { Shown, ShownElement } from '../../../deploy/slack/try/shown.ts';

/** The tree as a short text: `p(a strong(b))`. */
const brief = (nodes: Shown[]): string =>
  nodes
    .map((node) => {
      if (typeof node === 'string') return node;
      const { tag, children, href, kind } = node;
      const details = [href, kind].filter((part) => part !== undefined).join(' ');
      return `${tag}${details && `[${details}]`}(${brief(children)})`;
    })
    .join('');
const names = (id: string) => ({ U1: 'ada', C1: 'general' })[id];
const mrkdwn = (text: string) => brief(showMrkdwn(text, names));
const markdown = (text: string) => brief(showMarkdown(text));
const showBlocks = createShowBlocks(names);

test('HTML of a message stays text, and only addresses of the web become links', () => {
  const html = '<img src=x onerror=alert(1)>';
  expect(markdown(`a ${html} b`)).toBe(`p(a ${html} b)`);
  expect(markdown(`<script>alert(1)</script>`)).toBe('<script>alert(1)</script>');
  expect(markdown('[x](javascript:alert(1)) [y](https://example.com/)')).toBe('p(span(x) a[https://example.com/](y))');
  expect(markdown('![a chart](data:text/html,x)')).toBe('p(span([image: a chart]))');
  expect(mrkdwn('&lt;b&gt; <javascript:alert(1)|x> <https://example.com/?a=1&amp;b=2|y>')).toBe(
    '<b> span(x) a[https://example.com/?a=1&b=2](y)',
  );
  expect(brief(showBlocks([{ type: 'section', text: { type: 'plain_text', text: html } }]))).toBe(`p(${html})`);
});

test('Markdown has headings, lists, code, tables and quotes', () => {
  expect(markdown('# A\n\nb **c** `d`\n\n- e\n- f')).toBe('h4(A)p(b strong(c) code(d))ul(li(p(e))li(p(f)))');
  expect(markdown('```js\nlet a;\n```\n\n> q')).toBe('pre(let a;)blockquote(p(q))');
  expect(markdown('| a | b |\n| - | - |\n| 1 | 2 |')).toBe('table(tr(th(a)th(b))tr(td(1)td(2)))');
});

test('Slack’s own markup has marks, mentions, links, quotes and code', () => {
  expect(mrkdwn('*a* _b_ ~c~ `d` 2*3*4 snake_case_name')).toBe('strong(a) em(b) del(c) code(d) 2*3*4 snake_case_name');
  expect(mrkdwn('<@U1> in <#C1> <!here> <@U9> :x: :unknown:')).toBe(
    'span[mention](@ada) in span[mention](#general) span[mention](@here) span[mention](@U9) ❌ :unknown:',
  );
  expect(mrkdwn('a\nb\n&gt; quoted\nc')).toBe('abr()bblockquote(quoted)c');
  expect(mrkdwn('```\n<b>*x*\n``` after')).toBe('pre(<b>*x*\n) after');
});

test('buttons, selects, forms, tables and steps of blocks are shown', () => {
  const confirm = { title: { type: 'plain_text', text: 'Sure?' }, text: { type: 'plain_text', text: 'It is final.' } };
  const words = (text: string) => ({ type: 'plain_text', text });
  const [row] = showBlocks([
    {
      type: 'actions',
      elements: [
        { type: 'button', action_id: 'approve', text: words('Approve'), style: 'primary', confirm },
        { type: 'button', action_id: 'go', text: words('Go'), url: 'https://example.com/' },
        {
          type: 'static_select',
          action_id: 'pick',
          placeholder: words('Pick'),
          options: [{ text: words('One'), value: '1' }],
        },
      ],
    },
  ]) as [ShownElement];
  expect(row.children).toEqual([
    {
      tag: 'button',
      kind: 'primary',
      children: ['Approve'],
      use: { actionId: 'approve', confirm: 'Sure?\n\nIt is final.' },
    },
    { tag: 'a', href: 'https://example.com/', children: ['Go'] },
    { tag: 'select', children: ['Pick'], use: { actionId: 'pick', options: [{ value: '1', label: 'One' }] } },
  ]);
  expect(
    showBlocks([
      { type: 'input', label: words('Why'), element: { type: 'plain_text_input', action_id: 'why', multiline: true } },
    ]),
  ).toEqual([
    {
      tag: 'div',
      children: [
        { tag: 'p', children: ['Why'] },
        { tag: 'field', children: [], use: { actionId: 'why', input: 'lines', value: '' } },
      ],
    },
  ]);
  const cell = (text: string) => ({ type: 'raw_text', text });
  const table = {
    type: 'table',
    rows: [
      [cell('a'), cell('b')],
      [cell('1'), cell('2')],
    ],
  };
  expect(brief(showBlocks([table]))).toBe('table(tr(th(a)th(b))tr(td(1)td(2)))');
  const plan = { type: 'plan', title: 'Steps', tasks: [{ title: 'Search', status: 'complete' }] };
  expect(brief(showBlocks([plan]))).toBe('div[steps](Stepsp(✓ Search))');
});

test('the page makes elements of the known kinds only', async () => {
  type Made = { tag: string; parts: unknown[]; href?: string; classes: string[] };
  const texts: string[] = [];
  const document = {
    createElement: (tag: string) => {
      const made: Made & Record<string, unknown> = { tag, parts: [], classes: [] };
      return Object.assign(made, {
        append: (...parts: unknown[]) => made.parts.push(...parts),
        classList: { add: (name: string) => made.classes.push(name) },
        addEventListener: () => undefined,
      });
    },
    createTextNode: (text: string) => {
      texts.push(text);
      return text;
    },
  };
  Object.assign(globalThis, { document });
  try {
    const path = '../../../deploy/slack/try/show-node.mjs';
    const { show } = (await import(path)) as { show: (node: unknown, press: () => void) => Made };
    const html = '<img src=x onerror=alert(1)>';
    const made = show(
      { tag: 'script', kind: 'evil', children: [html, { tag: 'a', href: 'javascript:x', children: [] }] },
      () => undefined,
    );
    expect(made).toMatchObject({ tag: 'span', classes: [], parts: [html, { tag: 'a' }] });
    expect(texts).toEqual([html]);
    expect((made.parts[1] as Made).href).toBeUndefined();
    const link = show({ tag: 'a', href: 'https://example.com/', children: ['x'] }, () => undefined);
    expect(link).toMatchObject({ href: 'https://example.com/', rel: 'noopener noreferrer', target: '_blank' });
  } finally {
    Reflect.deleteProperty(globalThis, 'document');
  }
});
