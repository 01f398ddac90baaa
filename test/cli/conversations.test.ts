import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { held, talkTo } from '../api/open-conversation.ts';
import { alfred } from './run-alfred.ts';

let house: ApiHarness;
beforeAll(async () => void (house = await createApiHarness()));
afterAll(() => house?.close());

const run = (...args: string[]) => alfred(['conversations', ...args], { ALFRED_URL: house.url, NO_COLOR: '1' });

test('without a conversation, list says how to begin one', async () => {
  expect(await run()).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('alfred chat') });
});

test('list tells what runs and waits, show what was said and how it stands', async () => {
  const second = held('Never.');
  house.script([{ text: ['Thirty days.'] }, { error: new AlfredError('model_auth', 'no key') }, second.turn]);
  const talk = await talkTo(house, { title: 'Expenses' });
  await talk.say('How many days?');
  await talk.quiet();
  const { body: failed } = await talk.say('And abroad?');
  await talk.quiet();
  await talk.say('And at sea?');
  await talk.running();
  await talk.say('And on the moon?');

  const [head, row] = (await run('list')).stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(head).toEqual(['ID', 'TITLE', 'AGENT', 'MESSAGES', 'STATE', 'UPDATED']);
  expect(row?.slice(0, 5)).toEqual([talk.id, 'Expenses', 'knowledge', '4', 'running, 1 queued']);

  const { stdout } = await run('show', talk.id);
  expect(stdout).toMatch(/^state +running, 1 queued$/m);
  expect(stdout).toMatch(/^1 · .* · done\nHow many days\?\n\nanswer · .* · task \S+\nThirty days\.$/m);
  expect(stdout).toMatch(new RegExp(`^2 · .* · failed · task ${failed.taskId}\\nAnd abroad\\?$`, 'm'));
  expect(stdout).toMatch(/^3 · .* · running\nAnd at sea\?$/m);
  expect(stdout).toMatch(/^4 · .* · queued\nAnd on the moon\?$/m);
  const page = await run('show', talk.id, '-n', '1', '--before', '3');
  expect(page.stdout).not.toContain('days');
  expect(page.stderr).toContain('--before 2 shows those before');
  expect(JSON.parse((await run('show', talk.id, '--json')).stdout)).toMatchObject({
    conversation: { id: talk.id, queued: 1 },
    messages: [{ text: 'How many days?' }, { role: 'assistant' }, {}, {}, { state: 'queued' }],
    hasMore: false,
  });

  const stopped = await run('stop', talk.id, '--reason', 'Enough.');
  expect(stopped.stdout).toMatch(
    /^The task \S+ is being cancelled\.\n1 message that waited will not be answered: \S+\n$/,
  );
  await talk.quiet();
  expect((await run('stop', talk.id)).stdout).toBe('Nothing ran.\n');
  expect((await run('show', talk.id)).stdout).toMatch(/^3 · .* · cancelled · task \S+$/m);
});

test('stop may go on with what waits', async () => {
  house.script((_, call) => (call === 1 ? held('Never.').turn : { text: ['Two.'] }));
  const talk = await talkTo(house);
  await talk.say('one');
  await talk.running();
  await talk.say('two');
  expect(JSON.parse((await run('stop', talk.id, '--keep', '--json')).stdout)).toMatchObject({ dropped: [] });
  expect((await talk.quiet()).at(-1)).toMatchObject({ role: 'assistant', text: 'Two.' });
});

test('archive puts away and takes back, delete ends', async () => {
  const { id } = await talkTo(house, { title: 'Old' });
  expect((await run('archive', id)).stdout).toContain(`alfred conversations archive --undo ${id}`);
  expect((await run('list')).stdout).not.toContain(id);
  expect((await run('list', '--archived')).stdout).toMatch(new RegExp(`^${id} .* archived `, 'm'));
  expect((await run('archive', '--undo', id)).stdout).toBe('The conversation takes messages again.\n');
  const listed = JSON.parse((await run('list', '--json')).stdout) as { id: string }[];
  expect(listed.map((one) => one.id)).toContain(id);
  expect(await run('delete', id)).toMatchObject({ code: 0, stdout: 'The conversation is deleted.\n' });
  for (const command of ['show', 'stop', 'archive', 'delete'])
    expect(await run(command, id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`There is no conversation ${id}.`),
    });
});
