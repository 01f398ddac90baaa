import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorCodes } from '../../contract/errors.ts';
import { Json } from '../../contract/json-schema.ts';
import { ConfigError } from '../../runtime/config.ts';

const count = z.int().nonnegative().optional();

const ScriptTurn = z.strictObject({
  /** A list is streamed as it is, a string at once or, with `tokensPerS`, word by word. */
  text: z.union([z.string(), z.array(z.string())]).optional(),
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
    .strictObject({ inputTokens: count, cacheReadTokens: count, cacheWriteTokens: count, outputTokens: count })
    .optional(),
  /** What the provider says about its limits, as in the headers of a response. */
  limits: z
    .strictObject({ requestsPerMinute: count, tokensPerMinute: count, requestsLeft: count, tokensLeft: count })
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
  /** How many steps the turn stands for. */
  repeat: z.int().min(1).max(1_000_000).default(1),
});

/**
 * What a scripted model says, turn by turn: the first one answers step 1. `{{step}}` in texts and arguments becomes the
 * step's number, so that the steps of a repeated turn differ. `summary` answers who asks for one, at any step.
 */
const Script = z.strictObject({ turns: z.array(ScriptTurn).min(1), summary: ScriptTurn.optional() });

export type ScriptTurn = z.output<typeof ScriptTurn>;
/** A script as it is written. */
export type Script = z.input<typeof Script>;
export type ParsedScript = z.output<typeof Script>;

/** @throws ZodError with every fault and its place */
export const parseScript = (script: unknown): ParsedScript => Script.parse(script);

/**
 * Reads ALFRED_SCRIPT_FILE.
 * @throws ConfigError that names the file and everything that is wrong in it
 */
export function readScript(file: string): ParsedScript {
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
