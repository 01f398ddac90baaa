import { z } from 'zod';
import { RemoteAgentsSettings } from '../remote-agent-settings.ts';
import { jsonVariable } from '../settings-schemas.ts';
import { url } from './values.ts';

/** Variables for agents that work elsewhere. */
export const remoteAgents = {
  ALFRED_REMOTE_AGENTS: jsonVariable(RemoteAgentsSettings)
    .optional()
    .describe(
      'agents that work elsewhere, by A2A or as a crew of CrewAI, as JSON, for doors and workers, like {"weather":{"protocol":"a2a","url":"https://agents.example.com/weather","description":"Forecasts","auth":{"bearer":"WEATHER_TOKEN"},"costPerCallUsd":0.02}}',
    ),
  CREWAI_BASE_URL: url(/^https?:$/, 'https://your-crew.crewai.com')
    .optional()
    .describe('address of a crew that has no `url` in ALFRED_REMOTE_AGENTS'),
  CREWAI_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('bearer token of crews that have no `auth` in ALFRED_REMOTE_AGENTS'),
} as const;
