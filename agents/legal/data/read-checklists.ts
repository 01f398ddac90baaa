import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { frameworks, type Framework } from '../intents.ts';

export const Risk = z.enum(['low', 'medium', 'high', 'critical']);
export type Risk = z.infer<typeof Risk>;

/** What kinds of documents are checked: notices to people, contracts with processors, a company's own rules. */
export const documentKinds = ['notice', 'agreement', 'policy'] as const;
export type DocumentKind = (typeof documentKinds)[number];

const signals = z.array(z.string().min(1));

const Requirement = z.strictObject({
  /** Number of the article, section or control. */
  ref: z.string(),
  /** Tells requirements of one number apart. */
  id: z.string().optional(),
  title: z.string(),
  in: z.array(z.enum(documentKinds)).min(1),
  /** What it asks for, in our own words. */
  asks: z.string(),
  severity: Risk,
  /** A lawyer has to see a finding of it. */
  lawyer: z.boolean().default(false),
  note: z.string().optional(),
  /** It counts only in a document that has one of these signals. */
  when: signals.optional(),
  evidence: signals,
  /** Signals of a sentence that contradicts the requirement. */
  breach: signals.default([]),
  /** A sentence with "not" is evidence too. */
  negated: z.boolean().default(false),
  /** That nothing is found is no gap: only a contradiction counts. */
  onlyBreach: z.boolean().default(false),
});
export type Requirement = z.infer<typeof Requirement>;

const Checklist = z.strictObject({
  framework: z.enum(frameworks),
  name: z.string(),
  title: z.string(),
  edition: z.string(),
  source: z.string(),
  requirements: z.array(Requirement).min(1),
});
export type Checklist = z.infer<typeof Checklist>;

const read = new Map<Framework, Checklist>();

/** The checklist of a framework. It is read once. */
export function checklistOf(framework: Framework): Checklist {
  const found = read.get(framework) ?? Checklist.parse(readYaml(`${framework}.yaml`));
  read.set(framework, found);
  return found;
}

/** A file of this folder. */
export const readYaml = (name: string): unknown => parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** Names a requirement, as in `gdpr Art. 13(1)(c) legal-basis`. */
export const keyOf = (framework: Framework, { ref, id }: Requirement): string =>
  [framework, ref, ...(id === undefined ? [] : [id])].join(' ');
