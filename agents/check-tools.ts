import { ApprovalRule } from '../contract/approval.ts';
import type { Tool } from '../contract/ports/index.ts';
import { agentSettings } from '../runtime/agent-settings.ts';
import { ConfigError } from '../runtime/config.ts';
import { rulesFor } from './approval-rules.ts';
import { toolOfAgent, type Agent, type Agents } from './index.ts';
import { toolNames } from './tools/tool-names.ts';

/**
 * Checks the tools and approval rules of every agent, those of its folder and those of ALFRED_AGENTS. With a misspelt
 * name, a call that a person should approve would run without approval.
 *
 * @param tools the tools that are configured; others that exist may be named as well
 * @throws ConfigError for a tool that does not exist, for a rule or an exemption for a tool that the agent does not
 *   have, for roles of such a tool, and for a tool with effects that neither a rule nor `withoutApproval` names
 */
export function checkTools(config: AgentConfig, agents: Agents, tools: Record<string, Tool>): void {
  for (const [name, agent] of Object.entries(agents)) checkAgentTools(config, { name, agent }, tools);
}

type AgentConfig = Parameters<typeof agentSettings>[0];
type NamedAgent = { name: string; agent: Agent };

/** The same for one agent. @throws ConfigError */
export function checkAgentTools(config: AgentConfig, { name, agent }: NamedAgent, tools: Record<string, Tool>): void {
  const known = [...new Set([...Object.keys(agent.ownTools ?? {}), ...toolNames, ...Object.keys(tools)])];
  const missing = agent.tools.find((tool) => !known.includes(tool));
  if (missing !== undefined)
    throw new ConfigError(
      `The agent ${name} names the tool "${missing}", which does not exist. There are: ${known.join(', ')}.`,
    );
  const configured = agentSettings(config, name);
  const ownRules = agent.approvals?.map((rule) => ApprovalRule.parse(rule));
  const settings = [
    { source: 'ALFRED_AGENTS', rules: configured.approvals, exempt: configured.withoutApproval },
    { source: `The folder of ${name}`, rules: ownRules, exempt: agent.withoutApproval },
  ];
  for (const { source, rules = [], exempt = [] } of settings) {
    const toolOfRule = rules.map(({ tool }) => tool).find((tool) => tool !== '*' && !agent.tools.includes(tool));
    refuseForeign(toolOfRule, `${source} has an approval rule of ${name}`, agent.tools);
    const exempted = exempt.find((tool) => !agent.tools.includes(tool));
    refuseForeign(exempted, `${source} has a \`withoutApproval\` of ${name}`, agent.tools);
  }
  const kept = Object.keys(configured.tools).find((tool) => !agent.tools.includes(tool));
  refuseForeign(kept, `ALFRED_AGENTS has roles in the \`tools\` of ${name}`, agent.tools);
  checkEffects({ name, agent }, config, tools);
}

function refuseForeign(tool: string | undefined, what: string, own: readonly string[]): void {
  if (tool === undefined) return;
  throw new ConfigError(
    `${what} for the tool "${tool}", which that agent does not have. Its tools are: ${own.join(', ')}.`,
  );
}

/** Each tool with effects has a rule, or is exempt from approval; not both: it would be unclear which one counts. */
function checkEffects({ name, agent }: NamedAgent, config: AgentConfig, tools: Record<string, Tool>): void {
  const { approvals, withoutApproval } = agentSettings(config, name);
  // A rule of ALFRED_AGENTS outranks the exemption that the agent's folder gives.
  const isRuled = (tool: string) => approvals?.some((rule) => rule.tool === tool || rule.tool === '*') === true;
  const exempt = withoutApproval ?? agent.withoutApproval?.filter((tool) => !isRuled(tool)) ?? [];
  const deps = { agents: { [name]: agent }, approvalsOf: () => approvals };
  for (const toolName of agent.tools) {
    const tool = toolOfAgent(agent, tools, toolName);
    if (tool?.effect !== 'write') continue;
    const hasRule = rulesFor(deps, name, tool).length > 0;
    if (hasRule !== exempt.includes(toolName) || (tool.needsNoRule && !hasRule)) continue;
    throw new ConfigError(
      hasRule
        ? `The agent ${name} has an approval rule for the tool "${toolName}" and names it in \`withoutApproval\`: ${remedyOf(tool, isRuled(toolName))}.`
        : `The agent ${name} may call "${toolName}", which changes something, and no approval rule speaks of it: add a rule to its \`approvals\`, or name it in its \`withoutApproval\` to let it run without a person.`,
    );
  }
}

/** What makes one of a rule and an exemption go. Not all rules stand where an operator can remove them. */
function remedyOf({ name, approvals = [] }: Tool, isConfigured: boolean): string {
  if (isConfigured) return 'remove one of the two in ALFRED_AGENTS';
  if (approvals.length > 0) return 'the rule comes with the tool and always counts, so remove the name';
  return `the rule stands in the agent's folder, so remove the name, or give \`approvals\` in ALFRED_AGENTS too, without a rule for "${name}" or \`*\`: they count in place of the folder's`;
}
