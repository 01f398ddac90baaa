import type { Agents } from '../../agents/index.ts';
import { ApprovalRule } from '../../contract/approval.ts';
import { canonicalJson, type JsonValue } from '../../contract/json.ts';
import { hasOneOf } from '../../contract/roles.ts';
import type { Tool } from '../../contract/ports/index.ts';

export type RuleDeps = {
  agents: Agents;
  /** What the configuration has in place of an agent's own rules. */
  approvalsOf: (agent: string) => readonly ApprovalRule[] | undefined;
};

/** What speaks of a tool's calls by an agent, whatever they say, in the order in which it is asked: the agent's rules, the tool's own. */
export function rulesFor({ agents, approvalsOf }: RuleDeps, agent: string, tool: Tool): readonly ApprovalRule[] {
  const shipped = Object.hasOwn(agents, agent) ? agents[agent]?.approvals : undefined;
  const rules = approvalsOf(agent) ?? (shipped ?? []).map((rule) => ApprovalRule.parse(rule));
  const own = (tool.approvals ?? []).map((rule) => ApprovalRule.parse({ ...rule, tool: tool.name }));
  return [...rules.filter((rule) => appliesTo(rule, tool)), ...own];
}

const appliesTo = ({ tool }: ApprovalRule, { name, effect }: Tool) =>
  tool === name || (tool === '*' && effect === 'write');

/** The rule that makes a call wait for a person, or undefined when it may run. The first that fits counts. */
export const ruleThatFits = (
  rules: readonly ApprovalRule[],
  input: JsonValue,
  roles: readonly string[],
): ApprovalRule | undefined =>
  rules.find(
    ({ unlessRoles = [], when }) =>
      !hasOneOf(roles, unlessRoles) && (when === undefined || when.some((condition) => holds(condition, input))),
  );

type Condition = NonNullable<ApprovalRule['when']>[number];

/** What cannot be judged waits for a person; what is not there ends with nothing wrong. */
function holds({ argument, over, equals, notIn, notEndingWith }: Condition, input: JsonValue): boolean {
  const value = at(input, argument.split('.'));
  if (value === undefined) return over !== undefined || notIn !== undefined;
  if (over !== undefined && !(typeof value === 'number' && value <= over)) return true;
  if (equals !== undefined && isSame(value, equals)) return true;
  if (notIn !== undefined && !notIn.some((known) => isSame(value, known))) return true;
  return notEndingWith !== undefined && ![value].flat().every((text) => endsWithOne(text, notEndingWith));
}

const at = (value: JsonValue | undefined, path: string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) && Object.hasOwn(inner, key)
        ? inner[key]
        : undefined,
    value,
  );

const isSame = (a: JsonValue, b: JsonValue) => canonicalJson(a) === canonicalJson(b);
const endsWithOne = (text: JsonValue, endings: string[]) =>
  typeof text === 'string' && endings.some((ending) => text.toLowerCase().endsWith(ending.toLowerCase()));
