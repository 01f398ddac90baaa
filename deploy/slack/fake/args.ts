import { isRecord, parseJson } from '../../../contract/json.ts';
import { type Args, type Block, SlackError } from './types.ts';

/** Arguments arrive as a form, where lists and objects are JSON texts, or as JSON. */
export const text = (args: Args, name: string): string | undefined => {
  const value = args[name];
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
};

/** @throws SlackError `invalid_arguments` when it is missing */
export function required(args: Args, name: string, code = 'invalid_arguments'): string {
  const value = text(args, name);
  if (value !== undefined) return value;
  throw new SlackError(code, { response_metadata: { messages: [`[ERROR] missing required field: ${name}`] } });
}

export const flag = (args: Args, name: string): boolean => ['true', '1'].includes(text(args, name) ?? '');

export const number = (args: Args, name: string, otherwise: number): number => {
  const value = Number(text(args, name) ?? otherwise);
  return Number.isFinite(value) ? value : otherwise;
};

const decoded = (args: Args, name: string): unknown => {
  const value = args[name];
  return typeof value === 'string' && value !== '' ? parseJson(value) : value;
};

/** @throws SlackError with this code when it is there and is no list of objects */
export function list(args: Args, name: string, code: string): Block[] | undefined {
  if (args[name] === undefined || args[name] === null || args[name] === '') return undefined;
  const value = decoded(args, name);
  if (Array.isArray(value) && value.every(isRecord)) return value;
  throw new SlackError(code);
}

export function strings(args: Args, name: string): string[] {
  const value = decoded(args, name);
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string');
  return (text(args, name) ?? '').split(',').filter((item) => item !== '');
}

/** @throws SlackError with this code when it is there and is no object */
export function record(args: Args, name: string, code: string): Block | undefined {
  if (args[name] === undefined || args[name] === null || args[name] === '') return undefined;
  const value = decoded(args, name);
  if (isRecord(value)) return value;
  throw new SlackError(code);
}
