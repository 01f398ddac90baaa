import { z } from 'zod';
import { Budget } from '../contract/task.ts';
import { BusyPolicy } from '../contract/conversation.ts';

/** `WEATHER_AGENT_TOKEN`: a variable that holds a secret, so that no secret stands in the settings. */
const VariableName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,127}$/, 'expected the name of a variable like WEATHER_AGENT_TOKEN, not the secret itself');

const Address = z
  .url({ protocol: /^https?$/, error: 'expected an address like https://agents.example.com' })
  .refine((text) => !/[?#@]/.test(text), 'expected no user, query or fragment: a secret belongs into `auth`');

/** How a remote agent knows who asks. */
export const RemoteAuth = z.union(
  [
    z.strictObject({ bearer: VariableName }),
    z.strictObject({ bearerFile: z.string().min(1).max(1_024) }),
    z.strictObject({
      header: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'expected the name of a header like X-API-Key'),
      value: VariableName,
    }),
    z.strictObject({
      oauth: z.strictObject({
        tokenUrl: Address,
        clientId: z.string().min(1).max(500),
        clientSecret: VariableName,
        scope: z.string().min(1).max(1_000).optional(),
      }),
    }),
  ],
  'expected {"bearer": "VARIABLE"}, {"bearerFile": "/path"}, {"header": "X-API-Key", "value": "VARIABLE"} or {"oauth": {"tokenUrl", "clientId", "clientSecret": "VARIABLE"}}',
);
export type RemoteAuth = z.infer<typeof RemoteAuth>;

const common = {
  description: z.string().trim().min(1).max(2_000),
  examples: z.array(z.string().trim().min(1).max(500)).max(20).optional(),
  auth: RemoteAuth.optional(),
  /** The most that one call costs, in US dollars. It is reserved before the call. */
  costPerCallUsd: z.number().nonnegative().max(100_000).default(0),
  /** A call whose answer got lost may be made again, although the first one may have taken effect. */
  repeatable: z.boolean().default(false),
  budget: Budget.optional(),
  roles: z.array(z.string().trim().min(1)).min(1).max(100).optional(),
  onBusy: BusyPolicy.optional(),
};

export const RemoteAgentSettings = z.discriminatedUnion('protocol', [
  z.strictObject({ protocol: z.literal('a2a'), url: Address, ...common }),
  z.strictObject({
    protocol: z.literal('crewai'),
    url: Address.optional(),
    /** The inputs of the crew; `{text}` stands for the request. */
    inputs: z.record(z.string().min(1).max(128), z.string().max(20_000)).optional(),
    ...common,
  }),
]);
export type RemoteAgentSettings = z.infer<typeof RemoteAgentSettings>;

/** ALFRED_REMOTE_AGENTS: agents that work elsewhere, by the name that they have here. */
export const RemoteAgentsSettings = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,47}$/, 'expected names of lower-case letters, digits and hyphens, like weather'),
  RemoteAgentSettings,
);

type RemoteConfig = {
  ALFRED_REMOTE_AGENTS?: Readonly<Record<string, RemoteAgentSettings>> | undefined;
  CREWAI_BASE_URL?: string | undefined;
};

/** A remote agent with its defaults filled in. */
export type RemoteAgentEntry = RemoteAgentSettings & { url: string; auth: RemoteAuth | undefined };

/** The remote agents with their defaults: a crew without an address or a secret of its own has those of CREWAI_…. */
export function remoteAgentEntries(config: RemoteConfig): Record<string, RemoteAgentEntry> {
  return Object.fromEntries(
    Object.entries(config.ALFRED_REMOTE_AGENTS ?? {}).map(([name, settings]) => {
      const isCrew = settings.protocol === 'crewai';
      const url = (settings.url ?? config.CREWAI_BASE_URL ?? '').replace(/\/+$/, '');
      const auth = settings.auth ?? (isCrew ? { bearer: 'CREWAI_API_KEY' } : undefined);
      return [name, { ...settings, url, auth }];
    }),
  );
}

/** The variables that hold the secrets of a remote agent. */
export function secretVariablesOf({ auth }: Pick<RemoteAgentEntry, 'auth'>): string[] {
  if (auth === undefined || 'bearerFile' in auth) return [];
  if ('bearer' in auth) return [auth.bearer];
  return ['oauth' in auth ? auth.oauth.clientSecret : auth.value];
}

/** What is wrong with the settings taken together. */
export const remoteAgentFaults = (config: RemoteConfig): { variable: 'CREWAI_BASE_URL'; message: string }[] =>
  Object.entries(remoteAgentEntries(config)).flatMap(([name, { url }]) =>
    url
      ? []
      : [
          {
            variable: 'CREWAI_BASE_URL' as const,
            message: `is needed, because ALFRED_REMOTE_AGENTS gives the crew ${name} no url`,
          },
        ],
  );
