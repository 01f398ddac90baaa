import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { canonicalJson, type JsonValue } from '../contract/json.ts';

/** SHA-256 of a file, in hex. The file is streamed, so its size does not matter. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * SHA-256 of a tool call's arguments, in hex. The order of keys does not matter. An approval is bound to this hash, so
 * that only the approved arguments can run.
 */
export const hashArguments = (value: JsonValue) => createHash('sha256').update(canonicalJson(value)).digest('hex');
