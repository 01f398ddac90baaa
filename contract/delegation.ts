import { z } from 'zod';
import { Artifact } from './artifacts.ts';
import { Json } from './json-schema.ts';
import { TaskError, TaskStatus, TaskUsage } from './task.ts';

/** The share of its budget that a task gives to one that it delegates. */
export const DelegatedShare = z.strictObject({
  maxCostUsd: z.number().positive().max(1_000_000).optional().describe('US dollars'),
  maxTokens: z.int().positive().max(1_000_000_000).optional().describe('All kinds of tokens together'),
  maxModelCalls: z.int().positive().max(100_000).optional(),
});
export type DelegatedShare = z.infer<typeof DelegatedShare>;

/** The arguments of the tool `delegate`. */
export const DelegateArguments = z.strictObject({
  agent: z.string().min(1).max(64).describe('The agent to ask'),
  request: z
    .string()
    .trim()
    .min(1)
    .max(20_000)
    .describe(
      'What it shall do, complete in itself: it sees nothing of this conversation. With the names, numbers and dates that it needs, and what the answer shall say',
    ),
  input: z
    .record(z.string(), Json)
    .optional()
    .describe('For an agent with a schema of its `input`: an object that fits it'),
  budget: DelegatedShare.optional().describe('At most so much of your own budget; default: an equal part of the rest'),
});
export type DelegateArguments = z.infer<typeof DelegateArguments>;

export const planStates = ['pending', 'running', 'done', 'failed', 'skipped'] as const;

/** One line of a plan that an agent shows to people. */
export const PlanItem = z.strictObject({
  title: z.string().trim().min(1).max(200),
  agent: z.string().min(1).max(64).optional().describe('The agent that does it'),
  status: z.enum(planStates),
});
export type PlanItem = z.infer<typeof PlanItem>;

export const Plan = z.strictObject({ items: z.array(PlanItem).min(1).max(20).describe('The whole plan, in order') });
export type Plan = z.infer<typeof Plan>;

/** The fields of the events of a delegated task beside those of its call. */
export const delegationFields = { taskId: z.uuid().describe('The delegated task'), agent: z.string() };

export const delegationEndFields = {
  ...delegationFields,
  status: TaskStatus,
  error: TaskError.nullable(),
  usage: TaskUsage,
  artifacts: z.array(Artifact).optional().describe('The files that it and the tasks below it have made'),
};

/** The arguments of the tool `ask_person`. */
export const Question = z.strictObject({
  question: z.string().trim().min(1).max(2_000),
  choices: z.array(z.string().trim().min(1).max(200)).min(2).max(10).optional().describe('Answers to choose from'),
});
export type Question = z.infer<typeof Question>;

/** The arguments of the tool `hand_over`. */
export const HandOver = z.strictObject({
  agent: z.string().min(1).max(64).describe('The agent that takes over'),
  message: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .describe('What the person reads: why, what is done so far, and what to write next'),
});
export type HandOver = z.infer<typeof HandOver>;
