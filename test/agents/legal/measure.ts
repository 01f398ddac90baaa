import { readFileSync } from 'node:fs';
import { audit } from '../../../agents/legal/audit/audit.ts';
import { documentKindOf } from '../../../agents/legal/audit/document-kind.ts';
import { findParties } from '../../../agents/legal/contract/parties.ts';
import { readPlaybook } from '../../../agents/legal/contract/playbook.ts';
import { reviewContract, type ContractFinding } from '../../../agents/legal/contract/review.ts';
import { checklistOf } from '../../../agents/legal/data/read-checklists.ts';
import type { Framework } from '../../../agents/legal/intents.ts';
import { readLegalText } from '../../../agents/legal/text/legal-text.ts';
import { sealResult } from '../../../agents/legal/text/quotation.ts';
import { createFinder } from '../../../agents/legal/text/signals.ts';

type Planted = { problem: string; ref?: string; topic?: string; title?: string; quote?: string; status?: string };
export type PlantedDocument = {
  file: string;
  framework?: Framework;
  party?: string;
  planted: Planted[];
  clean: string[];
};

/** What was found of what was planted. `falseAlarms`: what is clean, and was reported all the same. */
export type Measured = {
  file: string;
  found: number;
  of: number;
  missed: string[];
  falseAlarms: string[];
  findings: number;
};

/** A review of a contract against a playbook, every quotation compared with its source. */
export async function reviewText(text: string, playbookText: string, party?: string) {
  const playbook = readPlaybook(playbookText);
  const parties = findParties(text, party ?? playbook.party);
  const document = await readLegalText(text);
  const finder = createFinder(document, parties);
  const review = await reviewContract({ document, finder, parties, playbookText }, playbook);
  return sealResult(review, '', { document: text, playbook: playbookText });
}

/** An audit of a text, every quotation compared with its source. */
export async function auditText(text: string, framework: Framework) {
  const checklist = checklistOf(framework);
  const document = await readLegalText(text);
  const finder = createFinder(document);
  const kinds = [...new Set(checklist.requirements.flatMap((requirement) => requirement.in))];
  const kind = documentKindOf(document, finder, kinds) ?? 'policy';
  return sealResult(await audit(document, finder, { checklist, kind }), '', { document: text });
}

/** Compares what the rules find in a document with what was planted in it. */
export async function measureDocument(
  folder: URL,
  { file, framework, party, planted, clean }: PlantedDocument,
): Promise<Measured> {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const of = planted.length;
  const measured = (missed: string[], falseAlarms: string[], findings: number): Measured => ({
    file,
    found: of - missed.length,
    of,
    missed,
    falseAlarms,
    findings,
  });
  if (framework) {
    const { findings } = await auditText(text, framework);
    const refs = findings.map(({ requirement }) => requirement.ref);
    const missed = planted.filter(({ ref }) => !refs.includes(ref ?? '')).map(({ problem }) => problem);
    const falseAlarms = clean.filter((ref) => refs.includes(ref));
    return measured(missed, falseAlarms, findings.length);
  }
  const { findings } = await reviewText(text, readFileSync(playbookFile, 'utf8'), party);
  const fits = ({ topic, title, quote, status }: Planted, finding: ContractFinding) =>
    (topic === undefined || finding.topic === topic) &&
    (title === undefined || finding.title === title) &&
    (status === undefined || finding.status === status) &&
    (quote === undefined || finding.clauses.some((clause) => clause.quote.includes(quote)));
  const missed = planted.filter((one) => !findings.some((finding) => fits(one, finding))).map(({ problem }) => problem);
  const unplanted = findings.filter((finding) => !planted.some((one) => fits(one, finding)));
  const falseAlarms = clean.filter((topic) => unplanted.some((finding) => finding.topic === topic));
  return measured(missed, falseAlarms, findings.length);
}

const playbookFile = new URL('../../../docs/examples/legal/playbook.md', import.meta.url);
