import { typedTool } from '../../tools/typed-tool.ts';
import { analyseDocument, type Analysis } from '../analysis/analyse.ts';
import type { Clause } from '../audit/audit.ts';
import { AnalysisFields } from '../intents.ts';
import { readLegalText } from '../text/legal-text.ts';
import { withoutQuotes } from '../text/quotation.ts';
import { createFinder } from '../text/signals.ts';
import { kindNames } from './audit-compliance.ts';
import { createCitations, jsonFile, reportOutcome } from './report.ts';
import { checkGiven, disclaimer, notCovered, readSource, type DocumentPort } from './source.ts';

const file = 'document-analysis.json';
/** Most places of one sort that the answer shows. */
const maxShown = 4;

export const analyseDocumentTool = (documents: DocumentPort) =>
  typedTool({
    name: 'analyse_document',
    description:
      'Reads what a document settles: definitions, dates, amounts, deadlines, obligations, governing law, and personal data in it with its places. Every quotation is word for word. Repeat them as they are.',
    answers: true,
    input: AnalysisFields,
    check: checkGiven,
    async run(given, { scope }) {
      const source = await readSource(documents, scope, given);
      const uncovered = await notCovered(source);
      const document = await readLegalText(source.text);
      const analysis = await analyseDocument(document, createFinder(document));
      // Personal data is found by its form, in every language; the rest by English words.
      const { counts, personalData, characters, outline } = analysis;
      const known = uncovered
        ? {
            covered: false,
            languages: uncovered.others,
            characters,
            outline,
            personalData,
            counts: { personalData: counts.personalData },
          }
        : { covered: true, ...analysis };
      const data = { document: source.name, ...known };
      const citations = createCitations(source);
      const answer = [
        uncovered ? uncovered.answer : disclaimer,
        ...(uncovered ? [] : sectionsOf(analysis, source.name, citations.cite)),
        personalDataLines(analysis),
        `A lawyer must see what the document leaves out, and how its parts work together: this list says only what stands in it. Everything stands in ${file}.`,
      ].join('\n\n');
      return reportOutcome({
        answer,
        data,
        passages: citations.passages,
        summary: uncovered
          ? 'not covered: no English document'
          : `${counts.obligations} obligations, ${counts.personalData} personal data`,
        artifacts: [jsonFile(file, data)],
        sources: { document: source.text },
      });
    },
  });

function sectionsOf(analysis: Analysis, name: string, cite: (clause: Clause) => string): string[] {
  const { kind, characters, sentences, counts } = analysis;
  const lists = (['definitions', 'dates', 'amounts', 'deadlines', 'obligations', 'law'] as const).map((sort) => {
    const clauses = analysis[sort];
    const lines = clauses.slice(0, maxShown).map((clause) => `- ${cite(clause)}`);
    const left = counts[sort] - lines.length;
    if (left > 0) lines.push(`- … and ${left} more in ${file}`);
    return `### ${titles[sort]}: ${counts[sort]}\n\n${lines.join('\n') || 'None found.'}`;
  });
  const like = kind
    ? `By its words it is most like ${kindNames[kind]}.`
    : 'By its words it is like no kind that the checklists know.';
  return [
    `## ${withoutQuotes(name)}`,
    `${characters} characters, ${sentences} sentences, ${analysis.outline.length} headings. ${like}`,
    ...lists,
  ];
}

const titles = {
  definitions: 'Definitions',
  dates: 'Dates',
  amounts: 'Amounts of money',
  deadlines: 'Periods and deadlines',
  obligations: 'Obligations',
  law: 'Law and courts',
} as const;

function personalDataLines({ personalData, counts }: Analysis): string {
  const shown = personalData
    .slice(0, 10)
    .map(
      ({ kind, shown: value, start, end }) => `- ${kind.replaceAll('_', ' ')}: ${value} (characters ${start}–${end})`,
    );
  if (counts.personalData > shown.length) shown.push(`- … and ${counts.personalData - shown.length} more in ${file}`);
  return `### Personal data: ${counts.personalData}\n\n${shown.join('\n') || 'None found.'}\n\nFound by form: e-mail addresses, telephone numbers with country code, IBANs, card numbers, US social security numbers, IP addresses, dates of birth. Names and postal addresses are not found.`;
}
