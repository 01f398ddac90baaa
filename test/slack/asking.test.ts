import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { untilPasses } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
beforeAll(async () => {
  env = await createSlackHarness();
});
afterAll(() => env?.close());

const person = (name: string) => env.slack.addUser({ name });

describe('a direct message', () => {
  test('is answered in its thread, for a subject of the person', async () => {
    const requests = env.script([{ text: ['Thirty ', 'days.'] }]);
    const anna = person('anna');
    const { id: channel } = env.slack.directMessage(anna);
    const { ts } = env.slack.say(anna, channel, 'How many days do I have?');
    const [answer] = await env.answersIn(channel, ts);
    expect(answer?.shown).toContain('Thirty days.');
    expect(requests).toHaveLength(1);
    expect(await env.tasks()).toMatchObject([
      { subject: `slack:${env.slack.workspace.id}:${anna.id}`, tenant: 'local', status: 'completed' },
    ]);
  });
});
