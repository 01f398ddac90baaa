import { z } from 'zod';
import { NextCursor, pageQuery } from './paging.ts';
import { Budget } from './task.ts';

/** What instructions of a tenant may have, in UTF-16 code units. */
export const longestAgentInstructions = 16_000;

/**
 * What a tenant sets for an agent. What is left out stays as the operator has it.
 */
export const OwnAgentSettings = z.strictObject({
  enabled: z.boolean().optional().describe('false: the agent is not there for anybody of the tenant'),
  instructions: z
    .string()
    .trim()
    .min(1)
    .max(longestAgentInstructions)
    .optional()
    .describe('In place of the agent’s own'),
  model: z
    .string()
    .min(3)
    .max(500)
    .optional()
    .describe('provider:model; more behind commas stand in while it is down. Those that `operator.models` lists'),
  budget: Budget.optional().describe('Limits of each task, at most as wide as those of the operator'),
  roles: z
    .array(z.string().trim().min(1).max(100))
    .min(1)
    .max(20)
    .optional()
    .describe('Only those with one of these roles may use it, of those whom the operator lets use it'),
});
export type OwnAgentSettings = z.infer<typeof OwnAgentSettings>;

const note = z.string().trim().min(1).max(500).describe('Why, for those who read the versions');
const basedOn = z
  .int()
  .nonnegative()
  .optional()
  .describe('The version that you have read; 0: none. When another one is there meanwhile, nothing is changed');

/** Takes the place of all that the tenant has set before. */
export const AgentSettingsChange = OwnAgentSettings.extend({ note, basedOn });
export type AgentSettingsChange = z.infer<typeof AgentSettingsChange>;

export const AgentSettingsRollback = z.strictObject({
  version: z.int().nonnegative().describe('Its settings come back, as a new version; 0: nothing is set by the tenant'),
  note,
  basedOn,
});
export type AgentSettingsRollback = z.infer<typeof AgentSettingsRollback>;

export const AgentSettingsVersion = z.object({
  agent: z.string(),
  version: z.int().positive(),
  settings: OwnAgentSettings,
  note: z.string(),
  restores: z.int().nonnegative().nullable().describe('The version that it brought back'),
  by: z.string().describe('The subject who made it'),
  at: z.iso.datetime(),
});
export type AgentSettingsVersion = z.infer<typeof AgentSettingsVersion>;

export const AgentSettings = z.object({
  agent: z.string(),
  version: z.int().nonnegative().describe('0: the tenant has set nothing'),
  settings: OwnAgentSettings,
  note: z.string().nullable(),
  by: z.string().nullable(),
  at: z.iso.datetime().nullable(),
  operator: z
    .object({
      instructions: z.string(),
      model: z.string(),
      models: z.array(z.string()).describe('Those that a tenant may choose'),
      budget: Budget,
      roles: z.array(z.string()).nullable().describe('null: it is there for everybody'),
    })
    .describe('What holds where the tenant sets nothing, and the limits of what it may set'),
  effective: z
    .object({ enabled: z.boolean(), model: z.string(), budget: Budget })
    .describe('What tasks get that begin now'),
});
export type AgentSettings = z.infer<typeof AgentSettings>;

export const AgentSettingsListQuery = z.strictObject(pageQuery({ fits: (cursor) => /^\d{1,9}$/.test(cursor) }));
export type AgentSettingsListQuery = z.infer<typeof AgentSettingsListQuery>;
export const AgentSettingsList = z.object({ versions: z.array(AgentSettingsVersion), nextCursor: NextCursor });
export type AgentSettingsList = z.infer<typeof AgentSettingsList>;

/** What is known of an agent in a tenant everywhere at any time: the newest version, without its instructions. */
export type OwnAgent = Omit<OwnAgentSettings, 'instructions'> & { version: number };
