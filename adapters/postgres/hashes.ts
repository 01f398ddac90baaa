import { createHash } from 'node:crypto';
import { canonicalJson } from '../../contract/json.ts';

/** SHA-256 in hex, as people and tools write it: for files, documents and requests. */
export const hashHex = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** SHA-256 in base64url, a third shorter than hex: the `ContentHash` that workflow histories carry. */
export const contentHash = (content: string) => createHash('sha256').update(content).digest('base64url');

/**
 * Hash of a request: a repeat under the same idempotency key
 * must have the same one. The order of keys does not matter.
 */
export const hashRequest = (request: unknown): string => hashHex(canonicalJson(request));
