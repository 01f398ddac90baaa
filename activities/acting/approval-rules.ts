import { findAgent, type Agents } from '../../agents/index.ts';
import { ApprovalRule } from '../../contract/approval.ts';
import { canonicalJson, type JsonValue } from '../../contract/json.ts';
import { hasOneOf } from '../../contract/roles.ts';
import type { Tool } from '../../contract/ports/index.ts';

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

const appliesTo = ({ tool }: ApprovalRule, { name, effect }: Tool) =>
  tool === name || (tool === '*' && effect === 'write');

/** The first rule that requires a person's approval for this call; undefined when the call may run. */
export const findMatchingRule = (
  rules: readonly ApprovalRule[],
  input: JsonValue,
  roles: readonly string[],
): ApprovalRule | undefined =>
  rules.find(
    ({ unlessRoles = [], when }) =>
      !hasOneOf(roles, unlessRoles) && (when === undefined || when.some((condition) => matches(condition, input))),
  );

type Condition = NonNullable<ApprovalRule['when']>[number];

/** A value that cannot be compared requires approval. A missing argument matches only `over` and `notIn`. */
function matches({ argument, over, equals, notIn, notEndingWith }: Condition, input: JsonValue): boolean {
  const value = valueAt(input, argument.split('.'));
  if (value === undefined) return over !== undefined || notIn !== undefined;
  if (over !== undefined && !(typeof value === 'number' && value <= over)) return true;
  if (equals !== undefined && isSame(value, equals)) return true;
  if (notIn !== undefined && !notIn.some((known) => isSame(value, known))) return true;
  return notEndingWith !== undefined && ![value].flat().every((text) => endsWithOneOf(text, notEndingWith));
}

const valueAt = (value: JsonValue | undefined, path: string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) && Object.hasOwn(inner, key)
        ? inner[key]
        : undefined,
    value,
  );

const isSame = (a: JsonValue, b: JsonValue) => canonicalJson(a) === canonicalJson(b);
const endsWithOneOf = (text: JsonValue, endings: string[]) =>
  typeof text === 'string' && endings.some((ending) => text.toLowerCase().endsWith(ending.toLowerCase()));
