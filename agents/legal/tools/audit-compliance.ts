import { AlfredError } from '../../../contract/errors.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { audit, type Audit, type AuditFinding } from '../audit/audit.ts';
import { documentKindOf } from '../audit/document-kind.ts';
import { checklistOf, type Checklist, type DocumentKind } from '../data/read-checklists.ts';
import { AuditFields } from '../intents.ts';
import { readLegalText } from '../text/legal-text.ts';
import { withoutQuotes } from '../text/quotation.ts';
import { createFinder } from '../text/signals.ts';
import { counted, createCitations, fitLines, jsonFile, reportOutcome } from './report.ts';
import { checkGiven, disclaimer, notCovered, readSource, type DocumentPort, type Source } from './source.ts';

/** Alfred's words for the kinds of documents. */
export const kindNames: Record<DocumentKind, string> = {
  notice: 'a notice to people about their data',
  agreement: 'a contract on the processing of data',
  policy: 'internal rules of a company',
};

const file = 'compliance-audit.json';

export const auditComplianceTool = (documents: DocumentPort) =>
  typedTool({
    name: 'audit_compliance',
    description:
      'Compares a document with a framework (GDPR, CCPA/CPRA, HIPAA, SOX, PCI DSS 4, ISO 27001:2022), by rules. Each finding has the requirement with its number, the sentence of the document word for word with its place, and a risk with its rule. Repeat its findings as they are: add none of your own, and quote only what it quotes.',
    answers: true,
    input: AuditFields,
    check: checkGiven,
    async run({ framework, kind: wanted, ...given }, { scope }) {
      const source = await readSource(documents, scope, given);
      const uncovered = await notCovered(source);
      if (uncovered)
        return reportOutcome({
          answer: uncovered.answer,
          data: { framework, document: source.name, covered: false, languages: uncovered.others, findings: [] },
          passages: [],
          summary: 'not covered: no English document',
          artifacts: [],
          sources: {},
        });
      const checklist = checklistOf(framework);
      const document = await readLegalText(source.text);
      const finder = createFinder(document);
      const kinds = [...new Set(checklist.requirements.flatMap((requirement) => requirement.in))];
      const kind = wanted ?? documentKindOf(document, finder, kinds);
      if (!kind || !kinds.includes(kind))
        throw new AlfredError(
          'invalid_request',
          `${checklist.name} has requirements here for ${kinds.map((one) => `\`${one}\` (${kindNames[one]})`).join(', ')}; ${kind ? `not for \`${kind}\`` : 'the document is like none of them: say in `kind` what it is'}.`,
        );
      const result = await audit(document, finder, { checklist, kind });
      const citations = createCitations(source);
      const answer = renderAudit(result, { checklist, source, cite: citations.cite });
      const data = { framework, edition: checklist.edition, document: source.name, covered: true, ...result };
      return reportOutcome({
        answer,
        data,
        passages: citations.passages,
        summary: `${checklist.name}: ${counted(result.findings.length, 'finding')}, risk ${result.risk.level}`,
        artifacts: [jsonFile(file, data)],
        sources: { document: source.text },
      });
    },
  });

type Rendering = { checklist: Checklist; source: Source; cite: ReturnType<typeof createCitations>['cite'] };

function renderAudit(result: Audit, { checklist, source, cite }: Rendering): string {
  const { findings, met, notApplicable, otherKinds, risk, kind } = result;
  const lines = findings.map((finding) => renderFinding(finding, cite));
  const forLawyer = findings.filter(({ lawyer }) => lawyer !== undefined);
  return [
    disclaimer,
    `## ${checklist.name} audit of ${withoutQuotes(source.name)}`,
    `Judged as ${kindNames[kind]}, by the checklist of ${checklist.edition}. Risk: **${risk.level}** (${risk.rule}). ${counted(findings.length, 'finding')}; ${counted(met.length, 'requirement')} met.`,
    '### Findings',
    lines.length > 0 ? fitLines(lines, file) : 'None.',
    '### For a lawyer',
    forLawyer.length > 0
      ? fitLines(
          forLawyer.map(
            ({ requirement, lawyer, note }) =>
              `- ${requirement.ref} ${requirement.title}: ${lawyer}.${note ? ` ${note}` : ''}`,
          ),
          file,
          1_200,
        )
      : 'No finding that the rules mark. Whether the document is right as a whole is for a lawyer all the same.',
    '### Met, and not judged',
    `A sentence speaks of: ${met.map(({ requirement }) => `${requirement.ref} ${requirement.title}`).join('; ') || 'none'}.`.slice(
      0,
      1_200,
    ),
    `Not applicable by its words: ${notApplicable.map(({ ref, title }) => `${ref} ${title}`).join('; ') || 'none'}. Not judged: ${counted(otherKinds, 'requirement')} for other kinds of documents, whether a sentence is enough, and whether the company does what it writes. Everything stands in ${file}.`,
  ].join('\n\n');
}

function renderFinding(
  { requirement, status, clauses, risk, lookedFor }: AuditFinding,
  cite: Rendering['cite'],
): string {
  const { ref, title, asks } = requirement;
  const [first] = clauses;
  const place = first
    ? cite(first)
    : `Nothing was found; looked for: ${lookedFor?.slice(0, 2).join(' / ') ?? ''}`.slice(0, 200);
  return `- **${risk?.level}** · ${ref} ${title}: ${status}. ${place}. Requires: ${asks} (${risk?.rule})`;
}
