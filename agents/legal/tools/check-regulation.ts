import { AlfredError } from '../../../contract/errors.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { checklistOf, keyOf } from '../data/read-checklists.ts';
import { RegulationFields } from '../intents.ts';
import { searchRequirements } from '../regulation/search-requirements.ts';
import { withoutQuotes } from '../text/quotation.ts';
import { reportOutcome } from './report.ts';
import { disclaimer } from './source.ts';

export const checkRegulationTool = () =>
  typedTool({
    name: 'check_regulation',
    description:
      'Says what a framework (GDPR, CCPA/CPRA, HIPAA, SOX, PCI DSS 4, ISO 27001:2022) requires about something, from Alfred’s checklists: numbers of articles or controls, and the requirement in short. It has no text of laws or standards.',
    answers: true,
    input: RegulationFields,
    async run({ framework, question }) {
      const checklist = checklistOf(framework);
      const found = searchRequirements(checklist, question);
      if (found.length === 0)
        throw new AlfredError(
          'invalid_request',
          `The checklist of ${checklist.name} has nothing on "${question}". It covers: ${[...new Set(checklist.requirements.map(({ title }) => title))].slice(0, 30).join(', ')}.`,
        );
      const entries = found.map(({ requirement, matched }) => {
        const { ref, title, asks, severity, lawyer, note } = requirement;
        return {
          key: keyOf(framework, requirement),
          ref,
          title,
          asks,
          in: requirement.in,
          severity,
          lawyer,
          matched,
          ...(note ? { note } : {}),
        };
      });
      const answer = [
        disclaimer,
        `## ${checklist.name}: ${withoutQuotes(question)}`,
        entries
          .map(
            ({ ref, title, asks, severity, lawyer, note }) =>
              `- **${ref}** ${title}: ${asks} (a gap is ${severity}${lawyer ? '; for a lawyer' : ''})${note ? ` ${note}` : ''}`,
          )
          .join('\n'),
        `By the checklist of ${checklist.edition}, in our own words. Source: ${checklist.source}. The checklist is no copy of it: read the text itself before you rely on it, and have a lawyer say what it means for you.`,
      ].join('\n\n');
      return reportOutcome({
        answer,
        data: { framework, edition: checklist.edition, source: checklist.source, requirements: entries },
        passages: [],
        summary: `${checklist.name}: ${found[0]?.requirement.ref ?? ''}`,
        artifacts: [],
        sources: {},
      });
    },
  });
