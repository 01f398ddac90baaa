import { canonicalJson, isRecord, type JsonValue } from '../../contract/json.ts';
import type { TaskRow } from '../../contract/task.ts';
import type { Checks } from './cases.ts';

/** How a case ended. */
export type CaseEnd = {
  task: Pick<TaskRow, 'status' | 'result' | 'error' | 'effects' | 'usage'>;
  calls: { name: string; arguments: JsonValue }[];
  seconds: number;
};

/** @returns what is not as the checks want it, in sentences; empty when all is */
export function checkCase(checks: Checks, end: CaseEnd): string[] {
  const { task, calls, seconds } = end;
  const text = task.result?.text ?? '';
  const done = task.effects.filter(({ state }) => state === 'done').map(({ tool }) => tool);
  const { modelCalls, costUsd } = task.usage;
  const faults = [
    task.status !== checks.status &&
      `the task is ${task.status}${task.error ? ` (${task.error.code}: ${task.error.message})` : ''}, not ${checks.status}`,
    checks.error !== undefined &&
      task.error?.code !== checks.error &&
      `it failed with ${task.error?.code ?? 'no error'}, not ${checks.error}`,
    ...(checks.contains ?? []).map((part) => !text.includes(part) && `the answer lacks ${JSON.stringify(part)}`),
    ...(checks.notContains ?? []).map((part) => text.includes(part) && `the answer has ${JSON.stringify(part)}`),
    ...(checks.matches ?? []).map((part) => !new RegExp(part, 'u').test(text) && `the answer does not match /${part}/`),
    checks.data !== undefined && !isPartOf(checks.data, task.result?.data) && dataFault(checks.data, task.result?.data),
    ...(checks.cites ?? []).map(
      (name) => !citesDocument(task.result, name) && `the answer cites no document called ${name}`,
    ),
    checks.tools && toolFault(checks.tools, calls),
    checks.effects &&
      checks.effects.join() !== done.join() &&
      `these took effect: ${done.join(', ') || 'none'}; expected: ${checks.effects.join(', ') || 'none'}`,
    above('cost', costUsd, checks.maxCostUsd),
    above('number of model calls', modelCalls, checks.maxSteps),
    above('number of seconds', seconds, checks.maxSeconds),
  ];
  return faults.filter((fault) => typeof fault === 'string');
}

const above = (what: string, value: number, most: number | undefined) =>
  most !== undefined && value > most && `the ${what} is ${value}, more than ${most}`;

const citesDocument = (result: CaseEnd['task']['result'], name: string) =>
  result?.citations.some(({ document }) => `/${document}`.endsWith(`/${name}`)) === true;

const dataFault = (wanted: JsonValue, data: JsonValue | undefined) =>
  `\`data\` is ${JSON.stringify(data) ?? 'absent'}, without ${JSON.stringify(wanted)}`;

function toolFault(wanted: NonNullable<Checks['tools']>, calls: CaseEnd['calls']): string | undefined {
  const fits =
    wanted.length === calls.length &&
    wanted.every(({ name, arguments: some }, i) => {
      const call = calls[i];
      return call?.name === name && (some === undefined || isPartOf(some, call.arguments));
    });
  if (fits) return undefined;
  const shown = calls.map((call) => `${call.name}(${JSON.stringify(call.arguments)})`).join(', ');
  return `the calls are ${shown || 'none'}; expected ${wanted.map(({ name }) => name).join(', ') || 'none'}`;
}

/** Whether every field of the first value is in the second. Lists and plain values must be equal. */
function isPartOf(part: JsonValue, whole: JsonValue | undefined): boolean {
  if (!isRecord(part)) return whole !== undefined && canonicalJson(part) === canonicalJson(whole);
  return (
    isRecord(whole) &&
    Object.entries(part as Record<string, JsonValue>).every(([key, value]) => isPartOf(value, whole[key] as JsonValue))
  );
}
