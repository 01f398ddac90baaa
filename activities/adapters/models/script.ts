import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AlfredError, errorCodes } from '../../../contract/errors.ts';
import { Json } from '../../../contract/json-schema.ts';

const Count = z.int().min(0);

const ScriptCall = z
  .strictObject({
    tool: z.string().min(1),
    arguments: z.record(z.string(), Json).optional(),
    /** What the model sends where JSON should be. */
    malformed: z.string().optional(),
  })
  .refine((call) => (call.arguments === undefined) !== (call.malformed === undefined), {
    error: 'expected either arguments or malformed',
  });

const ScriptTurn = z.strictObject({
  /** A list is streamed piece by piece, one string at once or, with `tokensPerS`, word by word. */
  text: z.union([z.string(), z.array(z.string())]).optional(),
  calls: z.array(ScriptCall).min(1).optional(),
  stopReason: z.enum(['end', 'tools', 'max_tokens', 'refusal']).optional(),
  /** Tokens; those that are not given are estimated (a cached one is 0). */
  usage: z
    .strictObject({ inputTokens: Count, cacheReadTokens: Count, cacheWriteTokens: Count, outputTokens: Count })
    .partial()
    .optional(),
  /** What the provider says about its limits, as from the headers of a response. */
  limits: z
    .strictObject({ requestsPerMinute: Count, tokensPerMinute: Count, requestsLeft: Count, tokensLeft: Count })
    .partial()
    .optional(),
  firstTokenMs: z.number().min(0).optional(),
  /** 0 is as fast as it can. */
  tokensPerS: z.number().min(0).optional(),
  /** What the turn ends with, after its text. */
  error: z.strictObject({ code: z.enum(errorCodes), retryAfterMs: z.number().min(0).optional() }).optional(),
  /** How many steps the turn stands for. */
  repeat: z.int().min(1).max(1_000_000).default(1),
});

/**
 * What a scripted model says, turn by turn: the first turn answers step 1. `{{step}}` in texts and arguments becomes the
 * step's number, so that repeated turns can differ. `summary` answers whoever asks for a summary, at any step.
 */
const Script = z.strictObject({ turns: z.array(ScriptTurn).min(1), summary: ScriptTurn.optional() });
export type Script = z.input<typeof Script>;
export type ScriptTurn = z.output<typeof ScriptTurn>;

/** @throws AlfredError `model_unconfigured`, naming what is wrong where */
export function parseScript(script: unknown, source: string) {
  const parsed = Script.safeParse(script);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the script'}: ${message}`);
  throw new AlfredError('model_unconfigured', `${source} is not a script of model turns. ${faults.join('; ')}`);
}

/** Reads a JSON file `{ "turns": [ … ] }`. */
export function readScript(file: string) {
  let script: unknown;
  try {
    script = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AlfredError('model_unconfigured', `The script ${file} could not be read: ${reason}`, { cause });
  }
  return parseScript(script, `The script ${file}`);
}
