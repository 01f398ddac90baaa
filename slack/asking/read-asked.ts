import type { Agent } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord, parseJson } from '../../contract/json.ts';
import type { TaskInput } from '../../contract/task.ts';

/** The JSON object that a text is, also with the quotation marks that Slack makes of straight ones. */
export function fieldsIn(text: string): Record<string, unknown> | undefined {
  const fields = parseJson(text) ?? parseJson(text.replace(/[“”]/g, '"'));
  return isRecord(fields) ? fields : undefined;
}

/**
 * Reads what a person wrote to an agent: a JSON object that the agent takes, else the text as it is.
 *
 * @throws AlfredError `invalid_request` when the agent takes fields, and the text is none of them
 */
export function readAsked(name: string, agent: Pick<Agent, 'input'>, text: string): TaskInput {
  const fields = fieldsIn(text);
  const typed = fields && agent.input.safeParse(fields);
  const read = typed?.success ? typed : agent.input.safeParse({ text });
  if (read.success) return read.data as TaskInput;
  const [issue] = (typed ?? read).error?.issues ?? [];
  const where = issue?.path.map(String).join('.');
  throw new AlfredError(
    'invalid_request',
    typed
      ? `The agent ${name} does not take these fields: ${where ? `${where}: ` : ''}${issue?.message ?? ''}.`
      : `The agent ${name} takes fields, as JSON, and no text. Write for example: \`/alfred ask ${name} {"…": "…"}\`.`,
  );
}
