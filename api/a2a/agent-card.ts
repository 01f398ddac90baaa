import { A2A_PROTOCOL_VERSION, type AgentCard, type AgentSkill } from '@a2a-js/sdk';
import type { Agents } from '../../agents/index.ts';

const description =
  'Answers requests of people at a company from its documents, has other agents do parts of them, and acts where a person approves it.';

/** @param url where messages go @param agents that the caller may use; absent on the card that everybody may read */
export const agentCardOf = (url: string, version: string, agents?: Agents): AgentCard => ({
  name: 'Alfred',
  description,
  version,
  provider: undefined,
  supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', tenant: '', protocolVersion: A2A_PROTOCOL_VERSION }],
  capabilities: { streaming: true, pushNotifications: true, extensions: [], extendedAgentCard: true },
  securitySchemes: {
    bearer: {
      scheme: {
        $case: 'httpAuthSecurityScheme',
        value: { description: 'An access token or an API key', scheme: 'Bearer', bearerFormat: '' },
      },
    },
  },
  securityRequirements: [{ schemes: { bearer: { list: [] } } }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain', 'application/json'],
  skills: agents ? Object.entries(agents).map(([name, agent]) => skillOf(name, agent)) : [],
  signatures: [],
});

const skillOf = (id: string, { description, examples = [] }: Agents[string]): AgentSkill => ({
  id,
  name: id,
  description,
  tags: [],
  examples: [...examples],
  inputModes: [],
  outputModes: [],
  securityRequirements: [],
});
