import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorCodes } from '../../../contract/errors.ts';
import { Json } from '../../../contract/json-schema.ts';
import { ConfigError } from '../../../runtime/config.ts';

const tokens = z.int().nonnegative().optional();

const ScriptTurn = z.strictObject({
  text: z.string().optional(),
  calls: z
    .array(
      z.strictObject({
        tool: z.string().min(1),
        arguments: z.record(z.string(), Json).default({}),
        /** What the model wrote in place of a JSON object. */
        malformed: z.string().optional(),
      }),
    )
    .optional(),
  stopReason: z.enum(['end', 'tools', 'max_tokens', 'refusal']).optional(),
  usage: z
    .strictObject({ inputTokens: tokens, cacheReadTokens: tokens, cacheWriteTokens: tokens, outputTokens: tokens })
    .optional(),
  firstTokenMs: z.number().nonnegative().optional(),
  tokensPerS: z.number().nonnegative().optional(),
  /** Thrown after the text, if there is some. */
  error: z
    .strictObject({
      code: z.enum(errorCodes),
      message: z.string().optional(),
      retryAfterMs: z.number().positive().optional(),
    })
    .optional(),
  repeat: z.int().min(1).max(1_000_000).default(1),
});
const ScriptFile = z.strictObject({ turns: z.array(ScriptTurn).min(1) });

export type ScriptTurn = z.output<typeof ScriptTurn>;
/** Turns as they are written; `repeat: n` makes one stand for n steps. */
export type Script = z.input<typeof ScriptFile>;

/** @throws ZodError with every fault and its place */
export const parseScript = (script: unknown): ScriptTurn[] => ScriptFile.parse(script).turns;

/**
 * Reads ALFRED_SCRIPT_FILE.
 * @throws ConfigError that names the file and everything that is wrong in it
 */
export function readScript(file: string): ScriptTurn[] {
  try {
    return parseScript(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new ConfigError(`ALFRED_SCRIPT_FILE is "${file}", which is no script: ${faultsIn(error)}`);
  }
}

function faultsIn(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  return error.issues.map(({ path, message }) => `${placeOf(path)}: ${message}`).join('; ');
}

/** turns[2].calls[0].tool */
const placeOf = (path: PropertyKey[]) =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '') || 'the file';
