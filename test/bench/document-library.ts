import type { Edge } from '../../runtime/edge.ts';
import { run } from './measure.ts';

const things = 'invoices,travel,laptops,visas,contracts,parental leave,training,overtime,badges,parking'.split(',');
const places = 'Berlin,Lisbon,Oslo,Toronto,Nairobi,Osaka,Lima,Dublin,Perth,Krakow'.split(',');
const topics = things.length * places.length;
const topicOf = (n: number) =>
  `${things[n % things.length]} in ${places[Math.floor(n / things.length) % places.length]}`;

const sections = 6;
const sectionOf = (topic: string, k: number) =>
  `## ${topic}, part ${k}\n\n` +
  `Rule ${k} about ${topic} holds from the first of the month. `.repeat(2) +
  `Whoever needs an exception asks the office that is named here, in writing, ${k + 3} days before. `.repeat(5);

/** What somebody asks in the n-th message of a conversation: some 350 characters, about one document after the other. */
export const questionOf = (n: number) =>
  `Message ${n}. I have read what you wrote before and have one more question, about ${topicOf(n)}. ` +
  'A colleague of mine had the same case last month and was told something else, so please look again. ' +
  `What holds for ${topicOf(n)}, by when must it be filed, and who signs it if the manager is away for longer than a week?`;

/** Adds a hundred documents of six passages each. */
export async function addLibrary(url: string, { postgres }: Pick<Edge, 'postgres'>) {
  await run(topics, 4, async (n) => {
    const text = `# ${topicOf(n)}\n\n${Array.from({ length: sections }, (_, k) => sectionOf(topicOf(n), k)).join('\n\n')}\n`;
    const added = await fetch(`${url}/v1/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: `${n}.md`, text }),
    });
    if (added.status !== 202) throw new Error(`adding a document: ${added.status} ${await added.text()}`);
  });
  for (let count = 0; count < topics;) {
    const { rows } = await postgres.pool.query<{ count: number }>('select count(*) from documents');
    count = rows[0]?.count ?? 0;
  }
}
