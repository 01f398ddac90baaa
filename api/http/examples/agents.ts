import type { AgentDescription } from '../../../contract/agents.ts';
import type { AgentSettings, AgentSettingsVersion } from '../../../contract/agent-settings.ts';
import { answers, sends, times, type OperationExamples } from './shared.ts';

const agent: AgentDescription = {
  name: 'knowledge',
  description:
    'Answers questions from your documents, as handbooks, policies, guidelines and templates, with citations.',
  tools: ['search_documents', 'read_document'],
  maxSteps: 200,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  outputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};

const instructions = 'Answer from the documents in at most three sentences, with citations.';
const made = {
  agent: 'knowledge',
  version: 1,
  settings: { instructions, budget: { maxModelCalls: 20 } },
  note: 'Shorter answers',
  by: 'local',
  at: times.asked,
};
const version: AgentSettingsVersion = { ...made, restores: null };
const settings: AgentSettings = {
  ...made,
  operator: {
    instructions: 'You answer questions from the documents of the company.',
    model: 'anthropic:claude-sonnet-5-5',
    models: ['anthropic:claude-sonnet-5-5'],
    budget: {},
    roles: null,
  },
  effective: { enabled: true, model: 'anthropic:claude-sonnet-5-5', budget: { maxModelCalls: 20 } },
};

export const agentExamples: Record<string, OperationExamples> = {
  listAgents: { responses: answers(200, { agents: [agent] }) },
  getAgentSettings: { parameters: { name: 'knowledge' }, responses: answers(200, settings) },
  setAgentSettings: {
    parameters: { name: 'knowledge' },
    body: sends({ instructions, budget: { maxModelCalls: 20 }, note: 'Shorter answers' }),
    responses: answers(200, settings),
  },
  listAgentSettings: {
    parameters: { name: 'knowledge' },
    responses: answers(200, { versions: [version], nextCursor: null }),
  },
  getAgentSettingsVersion: { parameters: { name: 'knowledge', version: 1 }, responses: answers(200, version) },
  rollBackAgentSettings: {
    parameters: { name: 'knowledge' },
    body: sends({ version: 1, note: 'The longer answers were not read' }),
    responses: answers(200, settings),
  },
};
