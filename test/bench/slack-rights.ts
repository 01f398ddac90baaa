import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../cli/eval/measures.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { answersAmong } from '../support/slack/answers.ts';
import { until } from '../support/until.ts';
import { createGeneratedCorpus } from './generated-corpus.ts';
import { judge, printTimes } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startSlackStack, type FakeSlack } from './slack-stack.ts';

const documents = 200;
/** Of the search alone there are so many more questions, because it is fast. */
const searchesAQuestion = 10;
/** Slack takes so many calls of a kind in a minute, and a question that waits for them shows nothing. */
const pauseMs = 1_500;

/** Words that stand in documents which the asker may not read, and words that stand nowhere. */
type Class = 'forbidden' | 'absent';
const classes: Class[] = ['forbidden', 'absent'];

const syllables = ['ba', 'ke', 'li', 'mo', 'nu', 'ra', 'se', 'ti', 'vo', 'zu'];
/** Words of one kind and length: the even ones are forbidden, the odd ones absent. */
const wordOf = (kind: Class, n: number): string =>
  `q${[...String(10_000 + 2 * n + (kind === 'absent' ? 1 : 0))].map((digit) => syllables[Number(digit)]).join('')}`;

/**
 * Measures whether the time of an answer gives away that a document exists which the asker may not read: questions
 * about such documents take turns with questions about what stands nowhere, in the search and in Slack.
 */
export async function measureSlackRights({ count, ...surroundings }: { count: number } & Surroundings) {
  const { slack, edge, adapters } = await startSlackStack(surroundings, { ALFRED_MODEL: 'offline:quote' });
  await putDocuments(edge.postgres.db, count * searchesAQuestion);
  const asker = slack.addUser({ name: 'asker' });
  const scope = { tenant: 'local', subject: `slack:${slack.workspace.id}:${asker.id}` };
  const search = async (query: string) => {
    const { passages } = await adapters.index.search(scope, { query, limit: 10 });
    if (passages.some(({ document }) => document.startsWith('board')))
      throw new Error(`the search for ${query} found what the asker may not read`);
  };
  // The first one builds the index.
  await search(wordOf('absent', 0));
  console.log(`\n${documents} documents for everyone, and one for each question that the asker may not read`);
  compare('a search', await measure(count * searchesAQuestion, (word) => search(word)));
  const ask = (word: string) => askInSlack(slack, asker.id, word);
  await ask('warm up');
  compare('an answer in Slack', await measure(count, ask, pauseMs));
}

async function putDocuments(db: Database, forbidden: number) {
  const corpus = createGeneratedCorpus(1);
  for (let n = 0; n < documents; n++)
    await putDocument(db, `open${n}.txt`, corpus.passage().text, { placement: { readers: ['everyone'] } });
  for (let n = 0; n < forbidden; n++)
    await putDocument(db, `board${n}.txt`, `The ${wordOf('forbidden', n)} is secret.`, {
      placement: { readers: ['group:board'] },
    });
}

async function askInSlack(slack: FakeSlack, user: string, word: string) {
  const { id: channel } = slack.directMessage(user);
  const { ts } = slack.say(user, channel, `What does ${word} mean?`);
  const answer = await until(
    'the answer',
    () => answersAmong(slack.view(channel, ts)).find(({ streaming }) => streaming !== 'in_progress'),
    { everyMs: 2 },
  );
  if (answer.shown.includes('secret')) throw new Error('the answer shows a document that the asker may not read');
}

/** Takes turns between the classes, so that both see the same machine. @returns milliseconds of each */
async function measure(count: number, run: (word: string) => Promise<void>, betweenMs = 0) {
  const times: Record<Class, number[]> = { forbidden: [], absent: [] };
  for (let n = 0; n < count; n++)
    for (const kind of n % 2 === 0 ? classes : classes.toReversed()) {
      const startedAtMs = performance.now();
      await run(wordOf(kind, n));
      times[kind].push(performance.now() - startedAtMs);
      if (betweenMs > 0) await sleep(betweenMs);
    }
  return times;
}

/** The medians may differ by less than times of one class do: half of those lie between its quartiles. */
function compare(what: string, times: Record<Class, number[]>) {
  console.log(`\n${what}, ${times.absent.length} times each:`);
  printTimes('about what may not be read', times.forbidden);
  printTimes('about what stands nowhere', times.absent);
  const spread = percentile(times.absent, 0.75) - percentile(times.absent, 0.25);
  const difference = Math.abs(percentile(times.forbidden, 0.5) - percentile(times.absent, 0.5));
  judge(
    `the medians differ by ${difference.toFixed(2)} ms; the quartiles of one class by ${spread.toFixed(2)} ms`,
    difference < spread,
  );
}
