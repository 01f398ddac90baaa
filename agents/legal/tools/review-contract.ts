import { AlfredError } from '../../../contract/errors.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { findParties } from '../contract/parties.ts';
import { readPlaybook } from '../contract/playbook.ts';
import { redlineDocument } from '../contract/redline.ts';
import { reviewContract, type ContractFinding, type Review } from '../contract/review.ts';
import { ContractFields } from '../intents.ts';
import { readLegalText } from '../text/legal-text.ts';
import { onOneLine, withoutQuotes } from '../text/quotation.ts';
import { createFinder } from '../text/signals.ts';
import { counted, createCitations, fitLines, jsonFile, reportOutcome } from './report.ts';
import { checkGiven, disclaimer, notCovered, readSource, type DocumentPort, type Source } from './source.ts';

const file = 'contract-review.json';
const redlineFile = 'contract-redline.docx';

export const reviewContractTool = (documents: DocumentPort) =>
  typedTool({
    name: 'review_contract',
    description:
      'Compares a contract with the company’s playbook and finds deviations, crossed red lines, missing and one-sided clauses, by rules. Each finding quotes the clause and the row of the playbook word for word. It makes a Word document with the proposals as tracked changes. Repeat its findings as they are: add none of your own, and quote only what it quotes.',
    answers: true,
    input: ContractFields,
    check(fields) {
      checkGiven(fields);
      if ((fields.playbook === undefined) === (fields.playbookText === undefined))
        throw new AlfredError(
          'invalid_request',
          'Name the company’s playbook in `playbook`, or give it in `playbookText`.',
        );
    },
    async run({ playbook: playbookName, playbookText, party, author, ...given }, { scope }) {
      const source = await readSource(documents, scope, given);
      const uncovered = await notCovered(source);
      if (uncovered)
        return reportOutcome({
          answer: uncovered.answer,
          data: { document: source.name, covered: false, languages: uncovered.others, findings: [] },
          passages: [],
          summary: 'not covered: no English document',
          artifacts: [],
          sources: {},
        });
      const rules = await readSource(
        documents,
        scope,
        playbookText === undefined ? { document: playbookName } : { text: playbookText },
      );
      const playbook = readPlaybook(rules.text);
      const parties = findParties(source.text, party ?? playbook.party);
      const document = await readLegalText(source.text);
      const finder = createFinder(document, parties);
      const review = await reviewContract({ document, finder, parties, playbookText: rules.text }, playbook);
      const redline = await redlineDocument(source.text, review.findings, {
        title: source.name,
        author,
        date: new Date(),
      });
      const citations = createCitations(source);
      const { us, them } = parties;
      const answer = renderReview(review, {
        source,
        playbook: rules.name,
        parties: { us, them },
        changes: redline.changes,
        left: redline.left,
        cite: citations.cite,
      });
      const data = {
        document: source.name,
        playbook: rules.name,
        covered: true,
        parties,
        ...review,
        changes: redline.changes,
      };
      return reportOutcome({
        answer,
        data,
        passages: citations.passages,
        summary: `${counted(review.findings.length, 'finding')}, risk ${review.risk.level}, ${counted(redline.changes, 'change')} proposed`,
        artifacts: [
          {
            name: redlineFile,
            mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
            bytes: redline.bytes,
          },
          jsonFile(file, data),
        ],
        sources: { document: source.text, playbook: rules.text },
      });
    },
  });

type Rendering = {
  source: Source;
  playbook: string;
  parties: { us: readonly string[]; them: readonly string[] };
  changes: number;
  left: number;
  cite: ReturnType<typeof createCitations>['cite'];
};

function renderReview(review: Review, { source, playbook, parties, changes, left, cite }: Rendering): string {
  const { findings, toRead, preferred, risk } = review;
  const lines = findings.map((finding) => renderFinding(finding, cite));
  const forLawyer = findings.filter(({ lawyer }) => lawyer !== undefined);
  return [
    disclaimer,
    `## Review of ${withoutQuotes(source.name)}`,
    `For ${parties.us.join(' / ')}, against ${parties.them.join(' / ')}, by the playbook ${withoutQuotes(playbook)}. Risk: **${risk.level}** (${risk.rule}). ${counted(findings.length, 'finding')}; ${counted(changes, 'change')} proposed in ${redlineFile}, tracked, each with its reason.${left > 0 ? ` ${counted(left, 'proposal')} more stand in ${file}.` : ''}`,
    '### Findings',
    lines.length > 0 ? fitLines(lines, file) : 'None.',
    '### For a lawyer',
    forLawyer.length > 0
      ? fitLines(
          forLawyer.map(({ title, lawyer }) => `- ${withoutQuotes(title)}: ${lawyer}.`),
          file,
          1_200,
        )
      : 'No finding that the rules mark. Whether the contract is right as a whole is for a lawyer all the same.',
    '### Read these yourself',
    toRead.length > 0
      ? fitLines(
          toRead.map(({ topic, clauses: [clause] }) => `- ${withoutQuotes(topic)}: ${clause ? cite(clause) : ''}`),
          file,
          1_200,
        )
      : 'None: every row of the playbook was compared.',
    `Within the preferred position: ${preferred.map(({ topic }) => withoutQuotes(topic)).join(', ') || 'none'}. Not judged: whether the clauses work together, what they mean under the law that governs them, and clauses on topics that neither the playbook nor the list of topics has. The file has the text of the contract, not its layout. Everything stands in ${file}.`,
  ].join('\n\n');
}

/** Longest part of a row of the playbook that the answer shows, in characters. The row itself stands in the data. */
const maxRow = 110;

/** A row of the playbook on one line, without quotation marks. */
function shownRow(row: string): string {
  const line = onOneLine(row)
    .replace(/\s*\|\s*/g, ' | ')
    .replace(/^ \| | \| $|^Topic: /g, '');
  return line.length <= maxRow
    ? line
    : `${line
        .slice(0, maxRow)
        .replace(/\s\S*$/, '')
        .toWellFormed()} …`;
}

function renderFinding(
  { title, status, clauses, position, risk, lookedFor, proposal }: ContractFinding,
  cite: Rendering['cite'],
): string {
  const [first] = clauses;
  const place = first ? cite(first) : `Nothing was found; looked for: ${lookedFor?.join(' / ') ?? ''}`.slice(0, 200);
  const row = position ? ` Playbook: ${shownRow(position.quote)}.` : '';
  const proposed = proposal ? ` Proposed: ${withoutQuotes(proposal.text)}` : '';
  return `- **${risk.level}** · ${withoutQuotes(title)} (${status}). ${place}.${row}${proposed} (${withoutQuotes(risk.rule)})`;
}
