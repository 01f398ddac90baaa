import { z } from 'zod';
import { readYaml, Risk } from './read-checklists.ts';

const signals = z.array(z.string().min(1));

const Topic = z.strictObject({
  id: z.string(),
  /** How a playbook may call it. */
  names: z.array(z.string()).min(1),
  locate: signals.min(1),
  measure: z.array(
    z.strictObject({ unit: z.enum(['days', 'months', 'percent', 'money', 'law', 'court']), near: signals.min(1) }),
  ),
  worse: z.partialRecord(z.enum(['customer', 'supplier']), z.enum(['higher', 'lower'])).default({}),
  expected: z.boolean().default(false),
  severity: Risk,
  lawyer: z.boolean().default(false),
  clause: z.string().optional(),
});
export type Topic = z.infer<typeof Topic>;

const Hazard = z.strictObject({
  id: z.string(),
  topic: z.string(),
  title: z.string(),
  risk: Risk,
  /** Whose disadvantage it is; absent: of either. */
  for: z.enum(['customer', 'supplier']).optional(),
  signals: signals.min(1),
  unless: signals.default([]),
  replace: z.string(),
});
export type Hazard = z.infer<typeof Hazard>;

type ContractData = { topics: Topic[]; hazards: Hazard[] };
let read: ContractData | undefined;

/** What the review knows of contracts. It is read once. */
export function contractData(): ContractData {
  read ??= {
    topics: z.strictObject({ topics: z.array(Topic) }).parse(readYaml('contract-topics.yaml')).topics,
    hazards: z.strictObject({ hazards: z.array(Hazard) }).parse(readYaml('contract-hazards.yaml')).hazards,
  };
  return read;
}
