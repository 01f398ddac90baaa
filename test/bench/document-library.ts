import type { Edge } from '../../runtime/edge.ts';
import { runConcurrently } from './measure.ts';

const subjects = 'invoices,travel,laptops,visas,contracts,parental leave,training,overtime,badges,parking'.split(',');
const places = 'Berlin,Lisbon,Oslo,Toronto,Nairobi,Osaka,Lima,Dublin,Perth,Krakow'.split(',');
const topicCount = subjects.length * places.length;
const topicOf = (n: number) =>
  `${subjects[n % subjects.length]} in ${places[Math.floor(n / subjects.length) % places.length]}`;

const sectionCount = 6;
const sectionOf = (topic: string, k: number) =>
  `## ${topic}, part ${k}\n\n` +
  `Rule ${k} about ${topic} holds from the first of the month. `.repeat(2) +
  `Whoever needs an exception asks the office that is named here, in writing, ${k + 3} days before. `.repeat(5);

/** The n-th message of a conversation: about 350 characters. Each is about the next document. */
export const questionOf = (n: number) =>
  `Message ${n}. I have read what you wrote before and have one more question, about ${topicOf(n)}. ` +
  'A colleague of mine had the same case last month and was told something else, so please look again. ' +
  `What holds for ${topicOf(n)}, by when must it be filed, and who signs it if the manager is away for longer than a week?`;

/** Adds a hundred documents of six passages each, and waits until they are stored. */
export async function addDocumentLibrary(url: string, { postgres }: Pick<Edge, 'postgres'>) {
  await runConcurrently(topicCount, 4, async (n) => {
    const text = `# ${topicOf(n)}\n\n${Array.from({ length: sectionCount }, (_, k) => sectionOf(topicOf(n), k)).join('\n\n')}\n`;
    const added = await fetch(`${url}/v1/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: `${n}.md`, text }),
    });
    if (added.status !== 202) throw new Error(`adding a document: ${added.status} ${await added.text()}`);
  });
  let stored = 0;
  while (stored < topicCount) {
    const { rows } = await postgres.pool.query<{ count: number }>('select count(*) from documents');
    stored = rows[0]?.count ?? 0;
  }
}
