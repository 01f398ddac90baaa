import { createPause } from '../../../runtime/create-pause.ts';
import { keyOf, Risk, type Checklist, type DocumentKind, type Requirement } from '../data/read-checklists.ts';
import { titleAt, type LegalText, type Unit } from '../text/legal-text.ts';
import { quotationOf, type Quotation } from '../text/quotation.ts';
import type { Finder } from '../text/signals.ts';

/** A sentence of the document, with the heading above it. */
export type Clause = Quotation & { section: string };

/** What an audit says of one requirement. */
export type AuditFinding = {
  requirement: { key: string; ref: string; title: string; asks: string };
  /**
   * - `met`: a sentence speaks of it, which is quoted.
   * - `missing`: no sentence was found; `lookedFor` says by which signals.
   * - `contradicted`: the quoted sentence says the opposite.
   * - `unclear`: the only sentences found deny something.
   */
  status: 'met' | 'missing' | 'contradicted' | 'unclear';
  clauses: Clause[];
  lookedFor?: string[];
  /** Absent for what is met. */
  risk?: { level: Risk; rule: string };
  lawyer?: string;
  note?: string;
};

export type Audit = {
  kind: DocumentKind;
  findings: AuditFinding[];
  met: AuditFinding[];
  /** Requirements that count only in documents that speak of something this one does not. */
  notApplicable: { ref: string; title: string }[];
  /** Requirements of the framework for other kinds of documents. */
  otherKinds: number;
  risk: { level: Risk | 'none'; rule: string };
};

/** Most sentences that are quoted for one requirement. */
const maxClauses = 3;

/** Most words between the terms of a contradiction. */
const maxBreach = 20;

/** What has fewer words is a name or a heading. */
const minEvidence = 4;

/** Words that turn evidence into its opposite. */
const denials = new Set(['not', 'never', 'cannot', 'don', 'doesn', 'won', 'neither', 'nor', 'disclaim', 'without']);

/** Compares a document with the requirements of a framework for its kind. */
export async function audit(
  document: LegalText,
  finder: Finder,
  { checklist, kind }: { checklist: Checklist; kind: DocumentKind },
): Promise<Audit> {
  const pause = createPause();
  const ofKind = checklist.requirements.filter((requirement) => requirement.in.includes(kind));
  const applies = ({ when }: Requirement) => !when || when.some((signal) => finder.find(signal).length > 0);
  // A sentence that contradicts one requirement shows of no other that it is met.
  const against = new Set<Unit>();
  for (const { breach } of ofKind) {
    for (const unit of breach.flatMap((signal) => finder.find(signal, { within: maxBreach }))) against.add(unit);
    await pause();
  }
  const judged: AuditFinding[] = [];
  for (const requirement of ofKind.filter(applies)) {
    judged.push(judge(document, finder, { requirement, key: keyOf(checklist.framework, requirement), against }));
    await pause();
  }
  const findings = judged.filter(({ status }) => status !== 'met').sort((a, b) => levelOf(b) - levelOf(a));
  return {
    kind,
    findings,
    met: judged.filter(({ status, clauses }) => status === 'met' && clauses.length > 0),
    notApplicable: ofKind.filter((one) => !applies(one)).map(({ ref, title }) => ({ ref, title })),
    otherKinds: checklist.requirements.length - ofKind.length,
    risk: highestRisk(findings),
  };
}

function judge(
  document: LegalText,
  finder: Finder,
  { requirement, key, against }: { requirement: Requirement; key: string; against: ReadonlySet<Unit> },
): AuditFinding {
  const { ref, title, asks, severity, lawyer, note, evidence, breach, negated, onlyBreach } = requirement;
  const described = { requirement: { key, ref, title, asks }, ...(note === undefined ? {} : { note }) };
  const clausesOf = (units: Unit[]): Clause[] =>
    units
      .slice(0, maxClauses)
      .map((unit) => ({ ...quotationOf(document.text, unit), section: titleAt(document, unit) }));
  const breaches = unique(breach.flatMap((signal) => finder.find(signal, { within: maxBreach })));
  if (breaches.length > 0) {
    const level = raised(severity);
    const rule = `contradicted: one level above the requirement’s ${severity}, critical at the most`;
    const forLawyer = lawyer || level === 'critical' ? { lawyer: 'a sentence contradicts a requirement' } : {};
    return { ...described, status: 'contradicted', clauses: clausesOf(breaches), risk: { level, rule }, ...forLawyer };
  }
  const byLength = (units: Unit[]) => units.sort((a, b) => a.words.length - b.words.length);
  const found = unique(evidence.flatMap((signal) => byLength(finder.find(signal, { inHeadings: true })))).filter(
    (unit) => !against.has(unit) && unit.words.length >= minEvidence,
  );
  const clear = negated ? found : found.filter(({ words }) => !words.some((word) => denials.has(word)));
  if (clear.length > 0 || onlyBreach) return { ...described, status: 'met', clauses: clausesOf(clear) };
  if (found.length > 0) {
    const level = lowered(severity);
    const rule = `unclear: one level below the requirement’s ${severity}, because only sentences with a denial speak of it`;
    return {
      ...described,
      status: 'unclear',
      clauses: clausesOf(found),
      risk: { level, rule },
      lawyer: 'a person has to read the sentence',
    };
  }
  const rule = `missing: the requirement’s own level, ${severity}`;
  const forLawyer = lawyer || severity === 'critical' ? { lawyer: 'the law may ask for it here' } : {};
  return {
    ...described,
    status: 'missing',
    clauses: [],
    lookedFor: evidence,
    risk: { level: severity, rule },
    ...forLawyer,
  };
}

/** Sentences of the first signals come first, and the short ones of each: they are the clearest. */
const unique = (units: Unit[]): Unit[] => [...new Set(units)];

const levels = Risk.options;
export const levelOf = ({ risk }: { risk?: { level: Risk } }): number => (risk ? levels.indexOf(risk.level) : -1);
export const raised = (risk: Risk): Risk => levels[Math.min(levels.indexOf(risk) + 1, levels.length - 1)] ?? risk;
export const lowered = (risk: Risk): Risk => levels[Math.max(levels.indexOf(risk) - 1, 0)] ?? risk;

/** The risk of a document is the highest of its findings. */
export function highestRisk(findings: readonly { risk?: { level: Risk } }[]): Audit['risk'] {
  const level = levels[Math.max(-1, ...findings.map(levelOf))] ?? 'none';
  return { level, rule: level === 'none' ? 'no finding' : 'the highest risk of a finding' };
}
