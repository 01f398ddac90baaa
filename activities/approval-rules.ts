import type { Agents } from '../agents/index.ts';
import { ApprovalRule } from '../contract/approval.ts';
import type { JsonValue } from '../contract/json.ts';
import { hasOneOf } from '../contract/roles.ts';
import type { Tool } from './ports.ts';

export type RuleDeps = {
  agents: Agents;
  /** What the configuration has in place of an agent's own rules. */
  approvalsOf(agent: string): readonly ApprovalRule[] | undefined;
};

/** The rules of an agent, in the order in which they are asked. */
export function rulesOf({ agents, approvalsOf }: RuleDeps, agent: string): readonly ApprovalRule[] {
  const own = Object.hasOwn(agents, agent) ? agents[agent]?.approvals : undefined;
  return approvalsOf(agent) ?? (own ?? []).map((rule) => ApprovalRule.parse(rule));
}

/** Whether a rule speaks of a tool at all, whatever it is called with. */
export const speaksOf = ({ tool }: ApprovalRule, { name, effect }: Pick<Tool, 'name' | 'effect'>) =>
  tool === name || (tool === '*' && effect === 'write');

/** The rule that makes a call wait for a person, or undefined when it may run. The first that fits counts. */
export function ruleFor(
  rules: readonly ApprovalRule[],
  { tool, input, roles }: { tool: Pick<Tool, 'name' | 'effect'>; input: JsonValue; roles: readonly string[] },
): ApprovalRule | undefined {
  return rules.find(
    (rule) =>
      speaksOf(rule, tool) &&
      !hasOneOf(roles, rule.unlessRoles ?? []) &&
      (rule.when === undefined || rule.when.some((condition) => holds(condition, input))),
  );
}

type Condition = NonNullable<ApprovalRule['when']>[number];

/** What cannot be judged waits for a person. */
function holds({ argument, over, equals, notIn, notEndingWith }: Condition, input: JsonValue): boolean {
  const value = at(input, argument.split('.'));
  if (value === undefined) return true;
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

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const endsWithOne = (text: JsonValue, endings: string[]) =>
  typeof text === 'string' && endings.some((ending) => text.toLowerCase().endsWith(ending.toLowerCase()));
