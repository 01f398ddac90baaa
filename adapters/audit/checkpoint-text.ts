import { z } from 'zod';
import type { Checkpoint } from './chain.ts';

const hex = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => Buffer.from(text, 'hex'));
const CheckpointJson = z.object({
  sequence: z.int().min(1),
  hash: hex,
  at: z.iso.datetime().transform((text) => new Date(text)),
  key: z.string(),
  mac: hex,
});

export const checkpointText = ({ seq, hash, at, key_id, mac }: Checkpoint): string =>
  JSON.stringify({
    sequence: seq,
    hash: hash.toString('hex'),
    at: at.toISOString(),
    key: key_id,
    mac: mac.toString('hex'),
  });

/** @returns undefined for anything else, like a line that was not written to its end */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = CheckpointJson.safeParse(value);
  if (!parsed.success) return undefined;
  const { sequence: seq, hash, at, key, mac } = parsed.data;
  return { seq, hash, at, key_id: key, mac };
}
