import { expect, test } from '@jest/globals';
import { findMatchingRule } from '../../../activities/acting/approval-rules.ts';
import { rulesFor } from '../../../agents/approval-rules.ts';
import type { Tool } from '../../../contract/ports/index.ts';
import { agents } from '../../../agents/index.ts';
import { ApprovalRule, type ApprovalRuleInput } from '../../../contract/approval.ts';
import type { JsonValue } from '../../../contract/json.ts';

const rules = (...given: ApprovalRuleInput[]) => given.map((rule) => ApprovalRule.parse(rule));
const readTool: Tool = {
  name: 'look',
  description: '',
  inputSchema: {},
  run: async () => ({ output: 0, summary: '' }),
};
const pay: Tool = { ...readTool, name: 'pay', effect: 'write' };
const waits = (condition: object, input: JsonValue) =>
  findMatchingRule(rules({ tool: 'pay', when: [{ argument: 'at.x', ...condition }] }), { at: { x: input } }, []) !==
  undefined;

test('`over`: a higher amount waits, and so does a missing one or one that is no number', () => {
  expect([100, 100.01, '50', null].map((amount) => waits({ over: 100 }, amount))).toEqual([false, true, true, true]);
  const rule = rules({ tool: 'pay', when: [{ argument: 'amount', over: 100 }] });
  expect(findMatchingRule(rule, {}, [])).toBeDefined();
  expect(findMatchingRule(rule, [], [])).toBeDefined();
});

test('`equals` ignores the order of keys; `notIn` matches values that are not listed', () => {
  expect(waits({ equals: { a: 1, b: 2 } }, { b: 2, a: 1 })).toBe(true);
  expect(waits({ equals: 'x' }, 'y')).toBe(false);
  expect(['NO', 'SE', 'FR', 1].map((country) => waits({ notIn: ['NO', 'SE'] }, country))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test('`notEndingWith`: every text must have an allowed ending; a missing argument does not match', () => {
  const allowed = { notEndingWith: ['@example.com'] };
  expect(waits(allowed, 'ann@Example.com')).toBe(false);
  expect(waits(allowed, ['ann@example.com', 'bob@example.org'])).toBe(true);
  expect(waits(allowed, ['ann@example.com', 7])).toBe(true);
  const rule = rules({ tool: 'pay', when: [{ argument: 'cc', ...allowed }] });
  expect(findMatchingRule(rule, { to: 'x' }, [])).toBeUndefined();
});

test('`unlessRoles`: a rule does not apply to a person with one of these roles, or with all roles', () => {
  const rule = rules({ tool: 'pay', unlessRoles: ['cfo'] });
  expect(
    [[], ['clerk'], ['clerk', 'cfo'], ['*']].map((roles) => findMatchingRule(rule, {}, roles) !== undefined),
  ).toEqual([true, true, false, false]);
});

test('the configuration’s rules replace the agent’s; the tool’s own rules come last', () => {
  const toolWithRule: Tool = { ...pay, approvals: [{ approvers: { roles: ['tool'] } }] };
  const of = (configured: ApprovalRule[] | undefined, tool: Tool, agent = 'assistant') =>
    rulesFor({ agents, approvalsOf: () => configured }, agent, tool).map(({ tool: name }) => name);
  expect(of(undefined, pay)).toEqual(['*']);
  expect(of(undefined, readTool)).toEqual([]);
  expect(of([], pay)).toEqual([]);
  expect(of(rules({ tool: 'pay' }, { tool: 'other' }), toolWithRule)).toEqual(['pay', 'pay']);
  expect(of([], toolWithRule, 'knowledge')).toEqual(['pay']);
});

test('a condition without a comparison is refused', () => {
  expect(ApprovalRule.safeParse({ tool: 'pay', when: [{ argument: 'amount' }] }).success).toBe(false);
});
