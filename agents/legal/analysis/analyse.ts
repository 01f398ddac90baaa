import { createPause } from '../../../runtime/create-pause.ts';
import type { Clause } from '../audit/audit.ts';
import { documentKindOf } from '../audit/document-kind.ts';
import { documentKinds, type DocumentKind } from '../data/read-checklists.ts';
import { titleAt, type LegalText, type Unit } from '../text/legal-text.ts';
import { placesIn, quantitiesIn } from '../text/quantities.ts';
import { quotationOf } from '../text/quotation.ts';
import type { Finder } from '../text/signals.ts';
import { findPersonalData, type PersonalData } from './personal-data.ts';

/** What a document has, each with the place where it stands. */
export type Analysis = {
  kind: DocumentKind | undefined;
  characters: number;
  sentences: number;
  outline: { title: string; start: number; end: number }[];
  /** Names that the document defines: (the “Supplier”). */
  definitions: Clause[];
  dates: Clause[];
  amounts: Clause[];
  deadlines: Clause[];
  obligations: Clause[];
  law: Clause[];
  personalData: PersonalData[];
  /** How many there are of each, where only the first are listed. */
  counts: Record<'definitions' | 'dates' | 'amounts' | 'deadlines' | 'obligations' | 'law' | 'personalData', number>;
};

/** Most places of one sort that a result lists. */
const maxListed = 50;

const definition =
  /\(\s{0,20}(?:the\s{1,20}|each\s{1,20}an?\s{1,20})?[“"][^”"]{2,60}[”"]|[“"][^”"]{2,60}[”"]\s{1,20}(?:means|has the meaning|refers to)\b/i;
const date =
  /\b(?:\d{1,2}\.? )?(?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{1,2},?)? (?:19|20)\d\d\b|\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d\b/;
const duty = 'shall|must|will be required|undertakes|agrees to|is required to|obliged|obligated';

/** Reads what a document settles: dates, amounts, deadlines, obligations, law, and personal data in it. */
export async function analyseDocument(document: LegalText, finder: Finder): Promise<Analysis> {
  const { text, units, sections } = document;
  const sentences = units.filter(({ isHeading }) => !isHeading);
  const textOf = ({ start, end }: Unit) => text.slice(start, end);
  const personalData = await findPersonalData(text);
  const pause = createPause();
  const [definitions, dates, amounts, deadlines]: [Unit[], Unit[], Unit[], Unit[]] = [[], [], [], []];
  for (const sentence of sentences) {
    await pause();
    const words = textOf(sentence);
    const quantities = quantitiesIn(words);
    if (definition.test(words)) definitions.push(sentence);
    if (date.test(words)) dates.push(sentence);
    if (quantities.some(({ unit }) => unit === 'money')) amounts.push(sentence);
    if (quantities.some(({ unit }) => unit === 'days')) deadlines.push(sentence);
  }
  const found = {
    definitions,
    dates,
    amounts,
    deadlines,
    obligations: finder.find(duty),
    law: finder
      .find('law|laws|court|courts|jurisdiction|arbitration')
      .filter((unit) => ['law' as const, 'court' as const].some((of) => placesIn(textOf(unit), of).length > 0)),
  };
  const clauses = (list: Unit[]): Clause[] =>
    list.slice(0, maxListed).map((unit) => ({ ...quotationOf(text, unit), section: titleAt(document, unit) }));
  return {
    kind: documentKindOf(document, finder, documentKinds),
    characters: text.length,
    sentences: sentences.length,
    outline: sections
      .filter(({ title }) => title !== '')
      .slice(0, maxListed)
      .map(({ title, start, end }) => ({ title, start, end })),
    definitions: clauses(found.definitions),
    dates: clauses(found.dates),
    amounts: clauses(found.amounts),
    deadlines: clauses(found.deadlines),
    obligations: clauses(found.obligations),
    law: clauses(found.law),
    personalData: personalData.slice(0, 10 * maxListed),
    counts: {
      definitions: found.definitions.length,
      dates: found.dates.length,
      amounts: found.amounts.length,
      deadlines: found.deadlines.length,
      obligations: found.obligations.length,
      law: found.law.length,
      personalData: personalData.length,
    },
  };
}
