import { z } from 'zod';
import { intent } from '../intents.ts';

export const frameworks = ['gdpr', 'ccpa', 'hipaa', 'sox', 'pci', 'iso27001'] as const;
export type Framework = (typeof frameworks)[number];

const Framework = z
  .enum(frameworks)
  .describe('gdpr: GDPR; ccpa: CCPA/CPRA; hipaa: HIPAA; sox: SOX; pci: PCI DSS 4; iso27001: ISO 27001:2022');

/** Longest text that is worked on, in characters. */
export const maxText = 400_000;

/** A document: its text, or one of the knowledge base by id or name. */
const document = {
  text: z.string().min(1).max(maxText).optional().describe('The document’s text'),
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
  question: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .describe('What is asked about, as “storage periods” or an article number'),
});

export const ContractFields = z.strictObject({
  ...document,
  playbook: z
    .string()
    .trim()
    .min(1)
    .max(512)
    .optional()
    .describe(
      'Name or id of the company’s playbook among the documents: a table of topic, preferred, fallback, red line',
    ),
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
}) =>
  text === undefined
    ? `the document ${name ?? documentId ?? '(none named)'}`
    : `the given text (${text.length} characters)`;

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

const frameworkNames: readonly (readonly [Framework, RegExp])[] = [
  ['gdpr', /\b(?:gdpr|dsgvo|general data protection regulation)\b/i],
  ['ccpa', /\b(?:ccpa|cpra|california consumer privacy act)\b/i],
  ['hipaa', /\bhipaa\b/i],
  ['sox', /\b(?:sox|sarbanes[- ]oxley)\b/i],
  ['pci', /\bpci(?:[- ]dss)?\b/i],
  ['iso27001', /\biso(?:\/iec)? ?27001\b/i],
];
const attached = /^- (.+) \(documentId ([0-9a-f-]{36})\)$/gm;
const audits = /^(?:please )?(?:audit|check)\s+(.+?)\s+(?:against|for|under|by|with)\s+(?:the\s+)?\S/i;
const reviews =
  /^(?:please )?review\s+(.+?)(?:\s+(?:against|with|by)\s+(?:(?:our|the)\s+)?(?:playbook\s+)?(\S.*?)?)?[.?]?$/i;
const analyses = /^(?:please )?analy[sz]e\s+(.+?)[.?]?$/i;
const asks =
  /^what (?:does|do|is)\b.*?\b(?:require|requires|required|say|says|ask|asks|demand|demands)\b(?:\s+by\s+\S+)?\s*(?:about|on|for|of|under)?\s*(.*?)[.?]*$/i;
/** Words in place of a name, for a file that is attached. */
const pronoun =
  /^(?:this|it|that|the|my|our)?\s*(?:attached\s+)?(?:document|contract|agreement|policy|file|notice|privacy (?:policy|notice))?(?:\s+attached)?$/i;

/** Reads the simplest requests in words, for the provider that understands none. */
export function offlineCall(text: string): { name: string; arguments: Record<string, string> } | undefined {
  const words = text.split('\n\n')[0]?.trim().replace(/\s+/g, ' ') ?? '';
  const files = [...text.matchAll(attached)].map(([, name = '', id = '']) => ({ name, id }));
  const framework = frameworkNames.find(([, name]) => name.test(words))?.[0];
  const playbookFile = files.find(({ name }) => /playbook/i.test(name));
  const file = files.find((one) => one !== playbookFile);
  const documentOf = (name: string): Record<string, string> | undefined => {
    const plain = name
      .replace(/^(?:the |our |my )?(?:document|contract|policy|file|agreement)\s+(?=\S)/i, '')
      .replace(/["“”`]/g, '')
      .trim();
    if (pronoun.test(name)) return file && { documentId: file.id };
    return plain === '' ? undefined : { document: plain };
  };
  const question = asks.exec(words)?.[1];
  if (framework && question) return { name: 'check_regulation', arguments: { framework, question } };
  const audited = audits.exec(words)?.[1];
  if (framework && audited) {
    const document = documentOf(audited);
    return document && { name: 'audit_compliance', arguments: { framework, ...document } };
  }
  const [, reviewed, named] = reviews.exec(words) ?? [];
  if (reviewed) {
    const playbook = playbookFile?.id ?? named?.replace(/["“”`]/g, '').trim();
    const document = documentOf(reviewed);
    return playbook && document && !/^playbook$/i.test(playbook)
      ? { name: 'review_contract', arguments: { ...document, playbook } }
      : undefined;
  }
  const analysed = analyses.exec(words)?.[1];
  const document = analysed === undefined ? undefined : documentOf(analysed);
  return document && { name: 'analyse_document', arguments: document };
}
