import type { ApprovalRule } from '../../contract/approval.ts';
import { canonicalJson, type JsonValue } from '../../contract/json.ts';
import { hasOneOf } from '../../contract/roles.ts';

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
