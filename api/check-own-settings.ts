import { findAgent } from '../agents/index.ts';
import type { OwnAgentSettings } from '../contract/agent-settings.ts';
import { InvalidRequest } from '../contract/errors.ts';
import type { Principal } from '../contract/principal.ts';
import { policyRoles } from '../contract/rules/policy.ts';
import { namedModels } from '../runtime/agent-in-tenant.ts';
import { agentSettings } from '../runtime/agent-settings.ts';
import { whyNotCallable } from '../runtime/callable-model.ts';
import type { ApiDeps } from './deps.ts';

type Deps = Pick<ApiDeps, 'agents' | 'catalog' | 'config' | 'providers' | 'tenantAgents'>;
type Issue = { path: string; message: string };

/**
 * Checks what a tenant sets for an agent against what the operator allows.
 *
 * @throws InvalidRequest with all that is wrong
 */
export async function checkOwnSettings(
  deps: Deps,
  principal: Principal,
  agent: string,
  settings: OwnAgentSettings,
): Promise<void> {
  const issues = [
    ...remoteIssues(deps, agent, settings),
    ...modelIssues(deps, settings),
    ...budgetIssues(deps, agent, settings),
    ...(await roleIssues(deps, principal, settings)),
  ];
  if (issues.length > 0) throw new InvalidRequest(issues);
}

function remoteIssues({ agents }: Deps, agent: string, settings: OwnAgentSettings): Issue[] {
  if (!findAgent(agents, agent)?.remote) return [];
  return (['instructions', 'model'] as const)
    .filter((path) => settings[path] !== undefined)
    .map((path) => ({ path, message: `the agent ${agent} works elsewhere and has none here: leave it out` }));
}

function modelIssues(deps: Deps, { model }: OwnAgentSettings): Issue[] {
  const named = namedModels(deps.config);
  return (model?.split(',') ?? []).flatMap((name) => {
    const why = named.includes(name)
      ? whyNotCallable(name, deps)
      : `"${name}" is none of the models that the operator offers: ${named.join(', ')}`;
    return why === undefined ? [] : [{ path: 'model', message: why }];
  });
}

function budgetIssues({ config }: Deps, agent: string, { budget = {} }: OwnAgentSettings): Issue[] {
  const allowed = agentSettings(config, agent).budget;
  return (Object.keys(budget) as (keyof typeof budget)[]).flatMap((name) => {
    const [asked, most] = [budget[name], allowed[name]];
    return asked === undefined || most === undefined || asked <= most
      ? []
      : [{ path: `budget.${name}`, message: `the operator allows ${most} at the most` }];
  });
}

/** A misspelt role would shut everybody out. */
async function roleIssues(
  { config, tenantAgents }: Deps,
  principal: Principal,
  { roles = [] }: OwnAgentSettings,
): Promise<Issue[]> {
  const configured = Object.values(config.ALFRED_AGENTS ?? {}).flatMap(({ roles: keptFor = [], tools = {} }) => [
    ...keptFor,
    ...Object.values(tools).flatMap((tool) => tool.roles),
  ]);
  const known = new Set<string>([...policyRoles, ...configured, ...principal.roles]);
  // Everybody has it, and no token names it.
  known.delete('member');
  const unknown = roles.filter((role) => !known.has(role));
  if (unknown.length === 0) return [];
  const seen = await tenantAgents.listKnownRoles(principal.tenant, unknown);
  return unknown
    .filter((role) => !seen.includes(role))
    .map((role) => ({
      path: 'roles',
      message:
        role === 'member'
          ? 'everybody is a member: leave `roles` out'
          : `"${role}" is no role of Alfred or of ALFRED_AGENTS, and no one who has signed in has it`,
    }));
}
