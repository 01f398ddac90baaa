import { expect, test } from '@jest/globals';
import { SlackCallError } from '../../../slack/api-calls/call-error.ts';
import type { SlackCall, SlackCalls } from '../../../slack/api-calls/api-calls.ts';
import type { Question } from '../../../slack/asking/question.ts';
import { createReadThread } from '../../../slack/asking/read-thread.ts';

type Raw = Record<string, unknown>;
type Page = { messages: Raw[]; response_metadata?: { next_cursor: string } };

const names: Record<string, string> = { UANN: 'Ann', UBEN: '“Ben”\nroot' };
const question: Question = {
  team: 'T1',
  channel: 'C1',
  threadTs: '1.000000',
  ts: '900.000000',
  userId: 'UANN',
  text: 'Is that so?',
  isDirect: false,
  isExternal: false,
  mentionsAlfred: true,
  isForOthers: false,
  files: [],
};

/** @param answer of `conversations.replies` */
function stage(answer: (call: SlackCall) => Promise<Page>, waitMs = 5_000) {
  const asked: Raw[] = [];
  const stopping = new AbortController();
  const call = async (asking: SlackCall) => {
    if (asking.method === 'auth.test') return { ok: true, user_id: 'UBOT', bot_id: 'BBOT' };
    asked.push(asking.arguments() ?? {});
    return { ok: true, ...(await answer(asking)) };
  };
  const people = { find: async (_team: string, id: string) => ({ kind: 'member' as const, name: names[id] }) };
  const read = createReadThread({ calls: { call } as unknown as SlackCalls, people, signal: stopping.signal, waitMs });
  return { asked, stopping, read: (attempts = 1) => read(question, attempts) };
}
const stageOf = (messages: Raw[]) => stage(async () => ({ messages }));
const refusal = (code: string, effect: 'refused' | 'unknown' = 'refused') =>
  new SlackCallError('conversations.replies', code, effect);

test('messages come with their writers and in words, without those that were deleted or have none', async () => {
  const { read } = stageOf([
    { ts: '1.000000', user: 'USLACKBOT', subtype: 'tombstone', hidden: true, text: 'This message was deleted.' },
    { ts: '2.000000', user: 'UBEN', text: 'Ask <@UANN> &amp; <@UCARA>, or <https://example.com|the page>' },
    { ts: '3.000000', user: 'UANN', text: '<@UBOT>' },
    { ts: '4.000000', user: 'UBOT', bot_id: 'BBOT', text: 'Hello <@UBEN>.' },
    { ts: '900.000000', user: 'UANN', text: 'Is that so?' },
    { ts: '901.000000', user: 'UBEN', text: 'Later.' },
  ]);
  expect(await read()).toEqual({
    above: [
      { author: '“Ben root”', text: 'Ask @Ann & @UCARA, or the page (https://example.com)', files: [] },
      { author: 'you', text: 'Hello @Ben root.', files: [] },
    ],
    problem: null,
  });
});

test('an app is named as one, with what its attachments say; previews of links in messages of people are left out', async () => {
  const attachments = [{ title: 'Disk full', text: 'on db-1' }, { fallback: 'see the run book' }];
  const { read } = stageOf([
    { ts: '1.000000', subtype: 'bot_message', bot_id: 'B7', username: 'Pager', text: '', attachments },
    { ts: '2.000000', user: 'UAPP', bot_id: 'B8', bot_profile: { name: 'Jira' }, text: 'OPS-1' },
    { ts: '3.000000', user: 'UANN', text: 'https://example.com', attachments: [{ text: 'All of the page' }] },
    { ts: '4.000000', user: 'UDORA', text: 'Hm' },
  ]);
  expect((await read()).above).toEqual([
    { author: 'the app “Pager”', text: 'Disk full\non db-1\nsee the run book', files: [] },
    { author: 'the app “Jira”', text: 'OPS-1', files: [] },
    { author: '“Ann”, who asks now,', text: 'https://example.com', files: [] },
    { author: 'a person', text: 'Hm', files: [] },
  ]);
});

test('files are named, but not those that are deleted or hidden', async () => {
  const files = [
    { id: 'F1', name: 'plan“s.pdf', mode: 'hosted' },
    { id: 'F2', mode: 'tombstone' },
    { id: 'F3', mode: 'hidden_by_limit' },
  ];
  const { read } = stageOf([{ ts: '1.000000', user: 'UBEN', text: '', files }]);
  expect((await read()).above).toEqual([{ author: '“Ben root”', text: '', files: ['“plan s.pdf”'] }]);
});

test('of a long thread the first message and the newest are kept, over several pages', async () => {
  const { asked, read } = stage(async (call) => {
    const from = Number(call.arguments()?.cursor ?? 0);
    const more = from < 400 ? { response_metadata: { next_cursor: String(from + 200) } } : {};
    const page = Array.from({ length: 200 }, (_, n) => ({ ts: `${from + n}.5`, user: 'UBEN', text: `m${from + n}` }));
    // As Slack may, with the first message on each page.
    return { messages: [{ ts: '0.5', user: 'UBEN', text: 'm0' }, ...page], ...more };
  });
  const { above } = await read();
  expect(asked).toHaveLength(3);
  expect(asked[0]).toEqual({ channel: 'C1', ts: '1.000000', latest: '900.000000', limit: 200 });
  expect(above).toHaveLength(51);
  expect(above.slice(0, 3)).toMatchObject([{ text: 'm0' }, 'left_out', { text: 'm551' }]);
  expect(above.at(-1)).toMatchObject({ text: 'm599' });
});

test('a thread without an end is read for five pages, and it is clear that more follows', async () => {
  const { asked, read } = stage(async () => ({
    messages: [{ ts: `${asked.length}.5`, user: 'UBEN', text: `m${asked.length}` }],
    response_metadata: { next_cursor: 'more' },
  }));
  expect((await read()).above.at(-1)).toBe('left_out');
  expect(asked).toHaveLength(5);
});

test('long messages are cut, and all together have 12,000 characters', async () => {
  const { read } = stageOf(
    Array.from({ length: 40 }, (_, n) => ({ ts: `${n + 1}.5`, user: 'UBEN', text: 'word '.repeat(2_000) })),
  );
  const { above } = await read();
  const lengths = above.flatMap((entry) => (entry === 'left_out' ? [] : [entry.text.length]));
  expect(Math.max(...lengths)).toBeLessThanOrEqual(4_000);
  expect(lengths.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(12_000);
  expect(above[1]).toBe('left_out');
});

test.each([
  ['missing_scope', 'An admin can change that: install the app again'],
  ['not_in_channel', 'did not let me read'],
  ['thread_not_found', 'did not let me read'],
])('when Slack refuses with %s, nothing stands above, and a line says why', async (code, words) => {
  const found = await stage(() => Promise.reject(refusal(code))).read();
  expect(found.above).toEqual([]);
  expect(found.problem).toContain(words);
  expect(found.problem).toContain('so I answer your message alone');
});

test('while Slack does not answer it is asked again, three times', async () => {
  const { read } = stage(() => Promise.reject(refusal('unavailable', 'unknown')));
  await expect(read(1)).rejects.toThrow('unavailable');
  await expect(read(2)).rejects.toThrow('unavailable');
  expect((await read(3)).problem).toContain('(unavailable)');
});

test('a token that is refused for everything is waited for', async () => {
  await expect(stage(() => Promise.reject(refusal('invalid_auth'))).read(9)).rejects.toThrow('invalid_auth');
});

/** A call that waits for Slack's limits. */
async function waits({ signal }: SlackCall): Promise<never> {
  if (signal && !signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  throw signal?.reason;
}

test('what Slack does not give in time is left out, and a line says so', async () => {
  const found = await stage(waits, 20).read();
  expect(found).toEqual({ above: [], problem: expect.stringContaining('in time') });
});

test('what came in time is used when the next page does not', async () => {
  const { read } = stage(
    (call) =>
      call.arguments()?.cursor === undefined
        ? Promise.resolve({
            messages: [{ ts: '1.5', user: 'UBEN', text: 'The first.' }],
            response_metadata: { next_cursor: 'more' },
          })
        : waits(call),
    20,
  );
  expect(await read()).toMatchObject({ above: [{ text: 'The first.' }, 'left_out'], problem: null });
});

test('a process that stops leaves it to another one', async () => {
  const { stopping, read } = stage(waits);
  const reading = read(9);
  stopping.abort(new Error('the process stops'));
  await expect(reading).rejects.toThrow('the process stops');
});
