import { z } from 'zod';
import { intent } from '../intents.ts';

export const frameworks = ['gdpr', 'ccpa', 'hipaa', 'sox', 'pci', 'iso27001'] as const;
export type Framework = (typeof frameworks)[number];

const Framework = z
  .enum(frameworks)
  .describe('gdpr: GDPR; ccpa: CCPA/CPRA; hipaa: HIPAA; sox: SOX; pci: PCI DSS 4; iso27001: ISO 27001:2022');

/** A document: its text, or one of the knowledge base by id or name. */
const document = {
  text: z
    .string()
    .min(1)
    .max(400_000)
    .optional()
    .describe('The document’s text; a longer one is added to the documents and named'),
  documentId: z.uuid().optional().describe('Id of a document that the asker may read, or of an attached file'),
  document: z.string().trim().min(1).max(512).optional().describe('Name of a document that the asker may read'),
};

export const AuditFields = z.strictObject({
  ...document,
  framework: Framework,
  kind: z
    .enum(['notice', 'agreement', 'policy'])
    .optional()
    .describe(
      'notice: tells people about their data; agreement: a contract with a processor, service provider or business associate; policy: rules of a company for itself. Default: found by its words',
    ),
});

export const AnalysisFields = z.strictObject({ ...document });

export const RegulationFields = z.strictObject({
  framework: Framework,
  question: z.string().trim().min(1).max(500).describe('What is asked about, as “storage periods” or an article number'),
});

export const ContractFields = z.strictObject({
  ...document,
  playbook: z
    .string()
    .trim()
    .min(1)
    .max(512)
    .optional()
    .describe('Name or id of the company’s playbook among the documents: a table of topic, preferred, fallback, red line'),
  playbookText: z.string().min(1).max(100_000).optional().describe('The playbook itself, in place of its name'),
  party: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .optional()
    .describe('Which party of the contract we are, as “Customer”. Default: as the playbook says in `We are: …`'),
  author: z.string().trim().min(1).max(80).default('Alfred').describe('Author of the tracked changes'),
});

/** How a request names its document in words. */
const named = ({
  text,
  documentId,
  document: name,
}: {
  text?: string | undefined;
  documentId?: string | undefined;
  document?: string | undefined;
}) => (text === undefined ? `the document ${name ?? documentId ?? '(none named)'}` : `the given text (${text.length} characters)`);

/** The typed requests. */
export const intents = {
  COMPLIANCE_AUDIT: intent({
    tool: 'audit_compliance',
    input: AuditFields,
    ask: (fields) => `Audit ${named(fields)} against ${fields.framework}.`,
  }),
  DOCUMENT_ANALYSIS: intent({
    tool: 'analyse_document',
    input: AnalysisFields,
    ask: (fields) => `Analyse ${named(fields)}.`,
  }),
  REGULATION_CHECK: intent({
    tool: 'check_regulation',
    input: RegulationFields,
    ask: ({ framework, question }) => `What does ${framework} require about ${question}?`,
  }),
  CONTRACT_REVIEW: intent({
    tool: 'review_contract',
    input: ContractFields,
    ask: (fields) => `Review ${named(fields)} against the playbook ${fields.playbook ?? '(given text)'}.`,
  }),
};
