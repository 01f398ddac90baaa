import { expect } from '@jest/globals';
import { createSlackHarness } from './slack-harness.ts';

/** People who write `/alfred`. */
export async function createCommandHarness() {
  const env = await createSlackHarness({ ALFRED_PUBLIC_URL: 'https://alfred.example.com' }, { rateLimits: false });
  const team = env.slack.workspace.id;
  let count = 0;
  const person = (more: { kind?: 'guest' | 'external' | 'bot' } = {}) =>
    env.slack.addUser({ name: `person${++count}`, ...more });
  const directOf = (user: { id: string }) => env.slack.directMessage(user.id).id;
  async function processed() {
    await env.slack.settled();
    await env.inboxIsEmpty();
  }
  const tasksOf = async ({ id }: { id: string }): Promise<{ id: string; status: string }[]> =>
    (await env.tasks()).filter(({ subject }) => subject === `slack:${team}:${id}`);

  return {
    env,
    team,
    person,
    directOf,
    processed,
    tasksOf,
    answer: (text: string) => env.script(() => ({ text: [text] })),
    channelWith: (members = [person(), person()], more: { external?: boolean; withApp?: boolean } = {}) => {
      const { id: channel } = env.slack.addChannel({ name: `commands${++count}`, members, ...more });
      return { channel, members };
    },
    /** Writes a command, and returns what the person alone reads after it. */
    run: async (user: { id: string }, channel: string, words: string): Promise<string> => {
      const before = env.noticesIn(channel, user.id).length;
      const { acknowledged } = await env.slack.command(user.id, channel, '/alfred', words);
      expect(acknowledged).toBe(true);
      await processed();
      return env
        .noticesIn(channel, user.id)
        .slice(before)
        .map(({ shown }) => shown)
        .join('\n');
    },
    /** Asks in the direct messages of a person, and returns the id of the task. */
    askDirectly: async (user: { id: string }, text: string): Promise<string> => {
      const channel = directOf(user);
      await env.answersIn(channel, env.slack.say(user.id, channel, text).ts);
      return (await tasksOf(user)).at(-1)!.id;
    },
  };
}
