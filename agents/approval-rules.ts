import { ApprovalRule } from '../contract/approval.ts';
import type { Tool } from '../contract/ports/index.ts';
import { findAgent, type Agents } from './index.ts';

export type RuleDeps = {
  agents: Agents;
  /** Rules of the configuration, which replace the agent's own; undefined when it sets none. */
  approvalsOf: (agent: string) => readonly ApprovalRule[] | undefined;
};

/** All rules for an agent's calls of this tool, in evaluation order: the agent's rules first, then the tool's own. */
export function rulesFor({ agents, approvalsOf }: RuleDeps, agent: string, tool: Tool): readonly ApprovalRule[] {
  const defaults = findAgent(agents, agent)?.approvals ?? [];
  const agentRules = approvalsOf(agent) ?? defaults.map((rule) => ApprovalRule.parse(rule));
  const toolRules = (tool.approvals ?? []).map((rule) => ApprovalRule.parse({ ...rule, tool: tool.name }));
  return [...agentRules.filter((rule) => appliesTo(rule, tool)), ...toolRules];
}

const appliesTo = ({ tool }: ApprovalRule, { name, effect, needsNoRule }: Tool) =>
  tool === name || (tool === '*' && effect === 'write' && !needsNoRule);
