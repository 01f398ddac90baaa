import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scheduleWorkflowId } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { alfred } from './run-alfred.ts';
import { until, untilPasses } from '../support/until.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness();
  harness.script(() => ({ text: ['Forty-two.'] }));
});
afterAll(() => harness?.close());

const schedules = (...args: string[]) => alfred(['schedules', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });
const morning = ['--name', 'Morning', '--cron', '0 8 1 1 *', '--time-zone', 'Europe/Berlin', '--ask', 'What is new?'];

async function created(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await schedules('add', ...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
}

test('without schedules, list says how to create one', async () => {
  const { code, stdout, stderr } = await schedules('list');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toContain('alfred schedules add');
  expect(await schedules()).toMatchObject({ code: 0, stderr });
});

test('a created schedule is listed and shown, until it is deleted', async () => {
  const id = await created(...morning, '--slack-channel', 'C0123ABCD');
  const year = new Date().getUTCFullYear() + 1;
  // The times are unknown while Temporal does not answer in time.
  await untilPasses('Temporal says when the schedule runs', async () =>
    expect((await schedules('list')).stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'NAME', 'WHEN', 'NEXT', 'LAST'],
      [id, 'Morning', '0 8 1 1 * (Europe/Berlin)', `${year}-01-01 07:00`],
      [''],
    ]),
  );
  const { stdout } = await until('Temporal says when it runs', () => schedules('show', id), {
    accept: (shown) => !shown.stdout.includes('unknown'),
  });
  expect(stdout).toMatch(/^agent +knowledge\nchannel +C0123ABCD$/m);
  expect(stdout).toContain(`next      ${year}-01-01 07:00, ${year + 1}-01-01 07:00`);
  expect(JSON.parse((await schedules('show', id, '--json')).stdout)).toMatchObject({
    action: { task: { input: { text: 'What is new?' } } },
  });

  expect(await schedules('remove', id)).toMatchObject({ code: 0, stdout: 'The schedule is deleted.\n' });
  const gone = await schedules('show', id);
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining(`There is no schedule ${id}.`) });
});

test('what is unexpected of the times is noted on creation and by show', async () => {
  const { code, stdout, stderr } = await schedules('create', '--name', 'x', '--cron', '0 8 1 * MON', '--ask', 'What?');
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Note: It runs only on days') });
  expect((await schedules('show', stdout.trim())).stderr).toContain('Note: It runs only on days that are both');
});

test('pause, resume and run change the schedule or start a task', async () => {
  const id = await created('--name', 'Hourly', '--every', '3600', '--ask', 'What is new?');
  expect(await schedules('pause', id)).toMatchObject({ code: 0, stdout: 'Hourly is paused.\n' });
  await untilPasses('the schedule is listed as paused', async () =>
    expect((await schedules('list')).stdout).toMatch(/every 3600 s +paused$/m),
  );
  expect(await schedules('resume', id)).toMatchObject({ code: 0, stdout: 'Hourly goes on.\n' });
  expect(await schedules('run', id)).toMatchObject({ code: 0, stdout: 'Hourly runs now.\n' });
  const task = await firstTask(id);
  expect((await schedules('show', id)).stdout).toMatch(new RegExp(`^RUN .*\\n\\S+ \\S+ +${task}$`, 'm'));

  await harness.client.schedule.getHandle(scheduleWorkflowId(id)).delete();
  // Temporal answers with the schedule for a moment longer.
  await untilPasses('the schedule is gone', async () =>
    expect((await schedules('show', id)).stdout).toContain('It was deleted in Temporal.'),
  );
  expect((await schedules('run', id)).code).toBe(1);
  await schedules('delete', id);
});

test('an invalid time is refused with the server’s message, contradicting options without a request', async () => {
  const wrong = await schedules('create', '--name', 'x', '--cron', '61 * * * *', '--ask', 'What?');
  expect(wrong.code).toBe(1);
  // Once, by the name of the option, and with the help to look at.
  expect(wrong.stderr).toMatch(
    /^--cron: .*minute 61 is not in the range 0-59.*\n\(`alfred schedules add --help` says more\)\n$/,
  );
  const both = await schedules('create', ...morning, '--every', '60');
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('one of them') });
  const words = await schedules('create', '--name', 'x', '--every', 'hour', '--ask', 'What?');
  expect(words).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected a whole number from 1 on, like 3600'),
  });
});

const firstTask = (id: string): Promise<string> =>
  until(
    `schedule ${id} starts a task`,
    async () => (await harness.http.get(`/v1/schedules/${id}`)).body.recentRuns[0]?.taskId,
  );
