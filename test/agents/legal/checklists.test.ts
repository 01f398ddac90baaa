import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { checklistOf, keyOf } from '../../../agents/legal/data/read-checklists.ts';
import { contractData } from '../../../agents/legal/data/read-contract-data.ts';
import { frameworks } from '../../../agents/legal/intents.ts';
import { searchRequirements } from '../../../agents/legal/regulation/search-requirements.ts';
import { auditText, measureDocument, reviewText, type PlantedDocument } from './measure.ts';

const folder = new URL('held-out/', import.meta.url);
const { contracts, policies } = JSON.parse(readFileSync(new URL('planted.json', folder), 'utf8')) as Record<
  'contracts' | 'policies',
  PlantedDocument[]
>;

describe.each(frameworks)('the checklist of %s', (framework) => {
  const { requirements } = checklistOf(framework);

  test('names each requirement once, with something to look for, and quotes nothing', () => {
    const keys = requirements.map((requirement) => keyOf(framework, requirement));
    expect(new Set(keys).size).toBe(keys.length);
    for (const { evidence, breach, asks, title } of requirements) {
      expect(evidence.length + breach.length).toBeGreaterThan(0);
      expect(asks + title).not.toMatch(/[“”]/);
    }
  });

  test('is found by the number of each requirement', () => {
    for (const requirement of requirements) {
      const number = /(?:A\.)?\d[\d.]*(?:\(\w+\))*/.exec(requirement.ref)?.[0] ?? '';
      expect(searchRequirements(checklistOf(framework), number).map((one) => one.requirement)).toContain(requirement);
    }
  });
});

test('the page of reference has the number of requirements, topics and hazards', () => {
  const page = readFileSync(new URL('../../../docs/reference/legal.md', import.meta.url), 'utf8');
  for (const framework of frameworks) {
    const row = new RegExp(`\\| \`${framework}\` *\\|[^|]*\\| (\\d+) `).exec(page);
    expect({ framework, count: Number(row?.[1]) }).toEqual({
      framework,
      count: checklistOf(framework).requirements.length,
    });
  }
  const { topics, hazards } = contractData();
  expect(page).toContain(`${topics.length} topics and ${hazards.length} kinds`);
});

test('ISO 27001 has each of the 93 controls of its annex', () => {
  const controls = checklistOf('iso27001').requirements.filter(({ ref }) => ref.startsWith('A.'));
  const counts = [5, 6, 7, 8].map((theme) => controls.filter(({ ref }) => ref.startsWith(`A.${theme}.`)).length);
  expect(counts).toEqual([37, 8, 14, 34]);
});

test('every hazard of contracts belongs to a topic', () => {
  const { topics, hazards } = contractData();
  for (const { topic } of hazards) expect(topics.map(({ id }) => id)).toContain(topic);
});

test.each([...contracts, ...policies])(
  'of the held-out text $file, what the page of reference says is found',
  async (one) => {
    const missed = one.file === 'california-notice.md' ? ['not updated since 2019'] : [];
    expect(await measureDocument(folder, one)).toMatchObject({ missed, falseAlarms: [] });
  },
);

const example = (name: string) =>
  readFileSync(new URL(`../../../docs/examples/legal/${name}`, import.meta.url), 'utf8');

test('all of the ten problems planted in the example contract are found, and each quotes the clause', async () => {
  const { findings } = await reviewText(example('analysis-service-agreement.md'), example('playbook.md'));
  const planted = ['2.2', '2.3', '3.2', '3.3', '5.1', '5.2', '6.1', '7.1', '8.1', '9.1'];
  const quoted = findings.flatMap(({ clauses }) => clauses.map(({ quote }) => quote.slice(0, 3)));
  expect(planted.filter((clause) => !quoted.includes(clause))).toEqual([]);
});

test('the gaps of the real notice of ONNX Runtime are found', async () => {
  const { findings } = await auditText(example('onnxruntime-privacy.txt'), 'gdpr');
  const refs = findings.map(({ requirement, status }) => `${requirement.ref} ${status}`);
  expect(refs).toEqual(
    expect.arrayContaining([
      'Art. 4(11), Art. 7 contradicted',
      'Art. 13(1)(c) missing',
      'Art. 13(2)(a) missing',
      'Art. 13(2)(b), Art. 17 missing',
      'Art. 13(2)(d), Art. 77 missing',
    ]),
  );
});
