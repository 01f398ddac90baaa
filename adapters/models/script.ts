import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorCodes } from '../../contract/errors.ts';
import { Json } from '../../contract/json-schema.ts';
import { ConfigError } from '../../runtime/config.ts';

const count = z.int().nonnegative().optional();

const ScriptTurn = z.strictObject({
  /** A list is streamed item by item, a string at once or, with `tokensPerS`, word by word. */
  text: z.union([z.string(), z.array(z.string())]).optional(),
  calls: z
    .array(
      z.strictObject({
        tool: z.string().min(1),
        arguments: z.record(z.string(), Json).default({}),
        /** Text that is not a JSON object, in place of `arguments`. */
        malformed: z.string().optional(),
      }),
    )
    .optional(),
  stopReason: z.enum(['end', 'tools', 'max_tokens', 'refusal']).optional(),
  usage: z
    .strictObject({ inputTokens: count, cacheReadTokens: count, cacheWriteTokens: count, outputTokens: count })
    .optional(),
  /** Rate limits, as a provider reports them in response headers. */
  limits: z
    .strictObject({ requestsPerMinute: count, tokensPerMinute: count, requestsLeft: count, tokensLeft: count })
    .optional(),
  firstTokenMs: z.number().nonnegative().optional(),
  tokensPerS: z.number().nonnegative().optional(),
  /** Thrown after the text, if there is any. */
  error: z
    .strictObject({
      code: z.enum(errorCodes),
      message: z.string().optional(),
      retryAfterMs: z.number().positive().optional(),
    })
    .optional(),
  /** For how many steps the turn is used. */
  repeat: z.int().min(1).max(1_000_000).default(1),
});

/**
 * The answers of a scripted model. The first turn answers step 1. `{{step}}` in texts and arguments is replaced by the
 * step's number, so that the steps of a repeated turn differ. `summary` answers every request for a summary.
 */
const Script = z.strictObject({ turns: z.array(ScriptTurn).min(1), summary: ScriptTurn.optional() });

export type ScriptTurn = z.output<typeof ScriptTurn>;
/** A script as a person writes it, without defaults. */
export type Script = z.input<typeof Script>;
export type ParsedScript = z.output<typeof Script>;

/** @throws ZodError with every problem and its path */
export const parseScript = (script: unknown): ParsedScript => Script.parse(script);

/**
 * Reads the file that ALFRED_SCRIPT_FILE names.
 *
 * @throws ConfigError with the file and every problem in it
 */
export function readScript(file: string): ParsedScript {
  try {
    return parseScript(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new ConfigError(`ALFRED_SCRIPT_FILE is "${file}", which is no script: ${problemsOf(error)}`);
  }
}

function problemsOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  return error.issues.map(({ path, message }) => `${formatPath(path)}: ${message}`).join('; ');
}

/** `turns[2].calls[0].tool` */
const formatPath = (path: PropertyKey[]) =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '') || 'the file';

/**
 * The parts of a model call's idempotency key, `<task id>/<step>` or `<task id>/<step>/<suffix>`.
 *
 * @returns undefined when the text has another form
 */
export function parseCallKey(idempotencyKey: string): { step: number; suffix: string | undefined } | undefined {
  const [, step, suffix] = /^[^/]+\/(\d+)(?:\/(.+))?$/.exec(idempotencyKey) ?? [];
  return step === undefined ? undefined : { step: Number(step), suffix };
}
