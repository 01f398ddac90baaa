import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { waitsNotice } from '../support/slack/answers.ts';
import { until } from '../support/until.ts';
import { createProcessHarness, killAtRandom, type Asked, type ProcessHarness } from './process-harness.ts';

/** `ALFRED_TEST_KILLS=30` is the long form, and `ALFRED_TEST_BOTS=2` has two doors share the work. */
const kills = Number(process.env.ALFRED_TEST_KILLS ?? 3);
const bots = Number(process.env.ALFRED_TEST_BOTS ?? 1);
const seed = Number(process.env.ALFRED_TEST_SEED ?? 17);

let harness: ProcessHarness;
beforeAll(async () => {
  harness = await createProcessHarness({ bots });
});
beforeEach(() => harness.ready());
afterAll(() => harness?.close());

/** One task, one message, and the text of the one is that of the other. */
async function expectAnswered(asked: Asked[], withinMs: number) {
  await harness.delivered(asked);
  await harness.answered(asked, withinMs);
  for (const question of asked) {
    const { tasks, messages } = await harness.outcome(question);
    const text = tasks[0]?.text;
    expect({ question: question.text, tasks, messages }).toEqual({
      question: question.text,
      tasks: [{ status: 'completed', text: expect.stringContaining(`to ${question.text}: word0 word1`) }],
      messages: [{ text, isOpen: false }],
    });
  }
  expect(harness.ended).toEqual([]);
}

test(
  `the door, the worker or both are killed ${kills} times at random: each question has one task and one message, whose text is the result`,
  async () => {
    // Printed first, so that a run that hangs can be repeated, too.
    console.log(
      `kills of Slack's processes: ALFRED_TEST_SEED=${seed} ALFRED_TEST_KILLS=${kills} ALFRED_TEST_BOTS=${bots}`,
    );
    const { asked, lines } = await killAtRandom(harness, { kills, seed });
    console.log(lines.join('\n'));
    await expectAnswered(asked, 240_000);
  },
  420_000 + kills * 60_000,
);

test('a door that starts while Temporal is away keeps what it receives, says so, and answers when Temporal is back', async () => {
  harness.temporal.cut();
  try {
    for (const name of harness.bots.ready()) harness.bots.kill(name);
    await harness.ready();
    const question = harness.ask('cold start');
    expect((await question.deliveries[0]?.done)?.attempts).toMatchObject([{ outcome: 'acknowledged' }]);
    await until('the person reads that the message waits', () =>
      harness.slack.view(question.channel, question.ts).some(({ shown }) => shown.includes(waitsNotice)),
    );
    const health = await fetch(`${String(harness.bots.entries()[0]?.url)}/healthz`);
    expect(await health.json()).toMatchObject({ status: 'unready', dependencies: { temporal: { status: 'down' } } });
    expect((await harness.outcome(question)).tasks).toEqual([]);
    harness.temporal.plug();
    await expectAnswered([question], 120_000);
  } finally {
    harness.temporal.plug();
  }
}, 420_000);
