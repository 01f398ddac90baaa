import { expect, test } from '@jest/globals';
import { agents } from '../../agents/index.ts';
import { remoteAgentsOf } from '../../agents/remote-agents.ts';
import { loadConfig } from '../../runtime/config.ts';

const weather = { protocol: 'a2a', url: 'https://agents.example.com/weather/', description: 'Forecasts.' };
const crew = { protocol: 'crewai', description: 'Plans.' };
const configOf = (remote: object, more: Record<string, string> = {}) =>
  loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_REMOTE_AGENTS: JSON.stringify(remote), ...more });

test('a remote agent is an agent without tools, with its address, price and rights', () => {
  const remote = {
    ...weather,
    costPerCallUsd: 0.5,
    roles: ['pilot'],
    budget: { maxCostUsd: 2 },
    auth: { bearer: 'W_T' },
  };
  expect(remoteAgentsOf(configOf({ weather: remote }), agents)['weather']).toMatchObject({
    description: 'Forecasts.',
    tools: [],
    defaults: { roles: ['pilot'], budget: { maxCostUsd: 2 } },
    remote: {
      protocol: 'a2a',
      url: 'https://agents.example.com/weather',
      costPerCallUsd: 0.5,
      repeatable: false,
      missingVariables: ['W_T'],
    },
  });
});

test('a crew without an address has that of CREWAI_BASE_URL, and the key of CREWAI_API_KEY', () => {
  const config = configOf({ travel: crew }, { CREWAI_BASE_URL: 'https://x.crewai.com' });
  expect(remoteAgentsOf(config, agents)['travel']?.remote).toMatchObject({
    url: 'https://x.crewai.com',
    missingVariables: ['CREWAI_API_KEY'],
  });
  expect(() => configOf({ travel: crew })).toThrow(/CREWAI_BASE_URL.*gives the crew travel no url/);
});

test.each([
  [{ weather: { ...weather, url: 'https://user:secret@example.com' } }, 'a secret belongs into `auth`'],
  [{ weather: { ...weather, url: 'ftp://example.com' } }, 'expected an address like'],
  [
    { weather: { ...weather, auth: { bearer: 'abc-123' } } },
    'expected the name of a variable like WEATHER_AGENT_TOKEN',
  ],
  [{ weather: { ...weather, description: ' ' } }, 'description'],
  [{ weather: { ...weather, inputs: {} } }, 'inputs'],
  [{ Weather: weather }, 'expected names of lower-case letters'],
])('wrong settings are refused with what is expected: %j', (remote, message) => {
  expect(() => configOf(remote)).toThrow(message);
});

test('a name that is taken, and settings that mean nothing, are refused', () => {
  expect(() => remoteAgentsOf(configOf({ alfred: weather }), agents)).toThrow('there is one of that name');
  const config = configOf({ weather }, { ALFRED_AGENTS: '{"weather":{"model":"offline:quote"}}' });
  expect(() => remoteAgentsOf(config, agents)).toThrow('ALFRED_AGENTS sets model of weather');
});
