import { createInterface, type Interface } from 'node:readline/promises';
import { AgentList } from '../../contract/agents.ts';
import { isRecord, parseJson, type JsonValue } from '../../contract/json.ts';
import type { TaskRequest } from '../../contract/task.ts';
import type { ApiClient } from './api-client.ts';

type Schema = Record<string, unknown>;
type Input = TaskRequest['input'];
type Streams = { input: NodeJS.ReadableStream; output: NodeJS.WritableStream };

/**
 * Asks a person for each field of what an agent takes.
 *
 * @returns undefined when the agent takes a text, or when there is no such agent
 */
export async function askForInput(
  api: ApiClient,
  name: string,
  streams: Streams = { input: process.stdin, output: process.stderr },
): Promise<Input | undefined> {
  const forms = await typedFormsOf(api, name);
  if (forms.length === 0) return undefined;
  const lines = createInterface(streams);
  try {
    return await fillIn(await chooseForm(lines, forms), lines);
  } finally {
    lines.close();
  }
}

/** What a line of a conversation is: fields, when it is a JSON object and the agent takes fields, else a text. */
export async function readLine(
  api: ApiClient,
  name: string,
  line: string,
): Promise<{ text: string } | { input: Input }> {
  const fields = line.trimStart().startsWith('{') ? parseJson(line) : undefined;
  if (!isRecord(fields) || (await typedFormsOf(api, name)).length === 0) return { text: line };
  return { input: fields as Input };
}

/** The objects that an agent takes beside a text. */
async function typedFormsOf(api: ApiClient, name: string): Promise<Schema[]> {
  const { agents } = await api.call('/v1/agents', { answer: AgentList });
  const schema = agents.find((agent) => agent.name === name)?.inputSchema;
  return schema ? formsOf(schema).filter((form) => !isText(form)) : [];
}

const propertiesOf = (schema: Schema): Record<string, Schema> =>
  isRecord(schema['properties']) ? (schema['properties'] as Record<string, Schema>) : {};

const isText = (schema: Schema) => Object.keys(propertiesOf(schema)).includes('text');

/** The object schemas that an input may fit. */
function formsOf(schema: Schema): Schema[] {
  const branches = [schema['anyOf'], schema['oneOf']].find(Array.isArray) as Schema[] | undefined;
  return branches ? branches.flatMap(formsOf) : [schema];
}

async function chooseForm(lines: Interface, forms: Schema[]): Promise<Schema> {
  const [only, second] = forms;
  if (only && !second) return only;
  const shown = forms.map((form, i) => `  ${i + 1}  ${Object.keys(propertiesOf(form)).join(', ')}`);
  while (true) {
    const answer = await lines.question(`Which of these?\n${shown.join('\n')}\n> `);
    const form = forms[Number(answer) - 1];
    if (form) return form;
  }
}

async function fillIn(form: Schema, lines: Interface): Promise<Input> {
  const required = Array.isArray(form['required']) ? (form['required'] as string[]) : [];
  const input: Input = {};
  for (const [name, field] of Object.entries(propertiesOf(form))) {
    const value = await askForField(lines, { name, field, isRequired: required.includes(name) });
    if (value !== undefined) input[name] = value;
  }
  return input;
}

type Field = { name: string; field: Schema; isRequired: boolean };

async function askForField(lines: Interface, { name, field, isRequired }: Field): Promise<JsonValue | undefined> {
  const { description, enum: choices } = field;
  const notes = [
    typeof description === 'string' ? description : '',
    Array.isArray(choices) ? `one of ${choices.join(', ')}` : '',
    isRequired ? '' : 'may be left empty',
  ].filter(Boolean);
  while (true) {
    const text = (await lines.question(`${name}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}: `)).trim();
    if (text === '' && !isRequired) return undefined;
    const value = text === '' ? undefined : readField(text, field);
    if (value !== undefined) return value;
  }
}

/** Reads what a person wrote, by the type of the field. @returns undefined when it does not fit */
export function readField(text: string, { type, enum: choices }: Schema): JsonValue | undefined {
  if (Array.isArray(choices)) return (choices as (string | number)[]).find((choice) => String(choice) === text);
  if (type === 'string') return text;
  if (type === 'number' || type === 'integer') {
    const number = Number(text);
    return Number.isFinite(number) && (type === 'number' || Number.isInteger(number)) ? number : undefined;
  }
  if (type === 'boolean') return /^(y|yes|true)$/i.test(text) ? true : /^(n|no|false)$/i.test(text) ? false : undefined;
  return parseJson(text) as JsonValue | undefined;
}
