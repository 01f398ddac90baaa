import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { blockedTurn, openConversation } from '../api/open-conversation.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness();
});
afterAll(() => harness?.close());

const run = (...args: string[]) => alfred(['conversations', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });

test('without conversations, list says how to start one', async () => {
  expect(await run()).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('alfred chat') });
});

test('list shows running and queued messages; show prints the messages with their states', async () => {
  const second = blockedTurn('Never.');
  harness.script([{ text: ['Thirty days.'] }, { error: new AlfredError('model_refused', 'no answer') }, second.turn]);
  const conversation = await openConversation(harness, { title: 'Expenses' });
  await conversation.say('How many days?');
  await conversation.quiet();
  const { body: failed } = await conversation.say('And abroad?');
  await conversation.quiet();
  await conversation.say('And at sea?');
  await conversation.running();
  await conversation.say('And on the moon?');

  const [head, row] = (await run('list')).stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(head).toEqual(['ID', 'TITLE', 'AGENT', 'MESSAGES', 'STATE', 'UPDATED']);
  expect(row?.slice(0, 5)).toEqual([conversation.id, 'Expenses', 'knowledge', '4', 'running, 1 queued']);

  const { stdout } = await run('show', conversation.id);
  expect(stdout).toMatch(/^state +running, 1 queued$/m);
  expect(stdout).toMatch(/^1 · .* · done\nHow many days\?\n\nanswer · .* · task \S+\nThirty days\.$/m);
  expect(stdout).toMatch(new RegExp(`^2 · .* · failed · task ${failed.taskId}\\nAnd abroad\\?$`, 'm'));
  expect(stdout).toMatch(/^3 · .* · running\nAnd at sea\?$/m);
  expect(stdout).toMatch(/^4 · .* · queued\nAnd on the moon\?$/m);
  const page = await run('show', conversation.id, '-n', '1', '--before', '3');
  expect(page.stdout).not.toContain('days');
  expect(page.stderr).toContain('--before 2 shows those before');
  expect(JSON.parse((await run('show', conversation.id, '--json')).stdout)).toMatchObject({
    conversation: { id: conversation.id, queued: 1 },
    messages: [{ text: 'How many days?' }, { role: 'assistant' }, {}, {}, { state: 'queued' }],
    hasMore: false,
  });

  const stopped = await run('stop', conversation.id, '--reason', 'Enough.');
  expect(stopped.stdout).toMatch(
    /^The task \S+ is being cancelled\.\n1 message that waited will not be answered: \S+\n$/,
  );
  await conversation.quiet();
  expect((await run('stop', conversation.id)).stdout).toBe('Nothing ran.\n');
  expect((await run('show', conversation.id)).stdout).toMatch(/^3 · .* · cancelled · task \S+$/m);
});

test('stop --keep continues with the queued messages', async () => {
  harness.script((_, call) => (call === 1 ? blockedTurn('Never.').turn : { text: ['Two.'] }));
  const conversation = await openConversation(harness);
  await conversation.say('one');
  await conversation.running();
  await conversation.say('two');
  expect(JSON.parse((await run('stop', conversation.id, '--keep', '--json')).stdout)).toMatchObject({ dropped: [] });
  expect((await conversation.quiet()).at(-1)).toMatchObject({ role: 'assistant', text: 'Two.' });
});

test('a list goes on from its cursor, and --all reads every page', async () => {
  const ids = [];
  for (const title of ['日本語の質問', 'two', 'three']) ids.unshift((await openConversation(harness, { title })).id);
  type Page = { conversations: { id: string }[]; nextCursor: string | null };
  const page = async (...args: string[]) => JSON.parse((await run('list', '--json', ...args)).stdout) as Page;
  const first = await page('--limit', '2');
  expect(first.conversations.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const second = await page('--limit', '1', '--cursor', String(first.nextCursor));
  expect(second.conversations.map(({ id }) => id)).toEqual(ids.slice(2));
  const all = await page('--all');
  expect(all.conversations.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  expect(all.nextCursor).toBeNull();
  const { stderr } = await run('list', '--limit', '1');
  expect(stderr).toMatch(/--cursor \S+ shows the next/);
});

test('archive hides a conversation, archive --undo restores it, and delete removes it', async () => {
  const { id } = await openConversation(harness, { title: 'Old' });
  expect((await run('archive', id)).stdout).toContain(`alfred conversations archive --undo ${id}`);
  expect((await run('list')).stdout).not.toContain(id);
  expect((await run('list', '--archived')).stdout).toMatch(new RegExp(`^${id} .* archived `, 'm'));
  expect((await run('archive', '--undo', id)).stdout).toBe('The conversation takes messages again.\n');
  const listed = JSON.parse((await run('list', '--json')).stdout) as { conversations: { id: string }[] };
  expect(listed.conversations.map((one) => one.id)).toContain(id);
  expect(await run('delete', id)).toMatchObject({ code: 0, stdout: 'The conversation is deleted.\n' });
  for (const command of ['show', 'stop', 'archive', 'delete'])
    expect(await run(command, id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`There is no conversation ${id}.`),
    });
});
