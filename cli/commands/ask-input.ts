import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseJson } from '../../contract/json.ts';
import type { TaskRequest } from '../../contract/task.ts';
import { usageError } from '../cli-error.ts';

type Input = TaskRequest['input'];

/**
 * The input of a task: the words behind the command as `{"text": …}`, or what --input names.
 *
 * @param from a JSON object, `@` and the file that holds it, or `-` for standard input
 * @throws CliError when there is none, both, or it is no JSON object
 */
export async function readInput(question: string, from: string | undefined): Promise<Input> {
  if (from === undefined) {
    if (question) return { text: question };
    throw usageError(
      'The question is empty. Write it behind the command: alfred ask "How many days do I have to file an expense report?"',
    );
  }
  if (question) throw usageError('Say the question or --input, not both: the question is the input {"text": "…"}.');
  const parsed = parseJson(await readSource(from));
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Input;
  throw usageError(
    `--input ${from.slice(0, 80)} holds no JSON object. Expected one like '{"text": "What?"}', @file.json, or - for standard input.`,
  );
}

async function readSource(from: string): Promise<string> {
  if (from === '-') return text(process.stdin);
  if (!from.startsWith('@')) return from;
  return readFile(from.slice(1), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`--input ${from}: the file cannot be read (${error.code ?? error.message}).`);
  });
}
