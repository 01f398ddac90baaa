import { z } from 'zod';
import { TaskResult } from '../contract/task.ts';
import { ConfigError, readOwnVariables, type Config } from '../runtime/config.ts';
import { remoteAgentEntries, secretVariablesOf, type RemoteAgentEntry } from '../runtime/remote-agent-settings.ts';
import type { Agent, Agents } from './index.ts';

type RemoteConfig = Pick<Config, 'ALFRED_REMOTE_AGENTS' | 'ALFRED_AGENTS' | 'CREWAI_BASE_URL' | 'CREWAI_API_KEY'>;

/** Settings of ALFRED_AGENTS that mean nothing for an agent that works elsewhere. */
const meaningless = ['model', 'onOutage', 'approvals', 'withoutApproval', 'tools'] as const;

/**
 * The agents of ALFRED_REMOTE_AGENTS. Each is an agent like ours, without tools and without a model.
 *
 * @throws ConfigError when a name is taken, or ALFRED_AGENTS sets what such an agent does not have
 */
export function remoteAgentsOf(config: RemoteConfig, known: Agents): Record<string, Agent> {
  return Object.fromEntries(
    Object.entries(remoteAgentEntries(config)).map(([name, entry]) => {
      if (Object.hasOwn(known, name))
        throw new ConfigError(
          `ALFRED_REMOTE_AGENTS names an agent ${name}, and there is one of that name: choose another name.`,
        );
      const settings = config.ALFRED_AGENTS?.[name] ?? {};
      const wrong = meaningless.find((setting) => settings[setting] !== undefined);
      if (wrong)
        throw new ConfigError(
          `ALFRED_AGENTS sets ${wrong} of ${name}, which works elsewhere and has none: leave it out there.`,
        );
      return [name, agentOf(entry)];
    }),
  );
}

function agentOf(entry: RemoteAgentEntry): Agent {
  const { protocol, url, description, examples, costPerCallUsd, repeatable, budget, roles, onBusy } = entry;
  const variables = secretVariablesOf(entry);
  const values = readOwnVariables(variables);
  return {
    description,
    ...(examples && { examples }),
    instructions: '',
    tools: [],
    maxSteps: 1,
    input: z.strictObject({ text: z.string().trim().min(1).max(20_000).describe('The request') }),
    output: TaskResult,
    ...(onBusy && { onBusy }),
    defaults: { ...(budget && { budget }), ...(roles && { roles }) },
    remote: {
      protocol,
      url,
      costPerCallUsd,
      repeatable,
      missingVariables: variables.filter((variable) => values[variable] === undefined),
    },
  };
}
