import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `alf_`, an id of 16 hex digits by which the key is found, `_`, a secret of 256 random bits in hex, and a checksum of
 * all that: scanners for secrets in code recognise a key, and a mistyped one is refused without a look at the database.
 */
const format = /^(alf_([0-9a-f]{16})_([0-9a-f]{64}))([0-9a-f]{8})$/;

export const isApiKeyText = (text: string): boolean => text.startsWith('alf_');

export const newApiKeyId = (): string => randomBytes(8).toString('hex');

/** A new secret for a key. @returns the whole key, which is shown once, and the hash that is stored */
export function newApiKeySecret(id: string): { key: string; hash: Buffer } {
  const secret = randomBytes(32).toString('hex');
  const body = `alf_${id}_${secret}`;
  return { key: body + checksumOf(body), hash: hashSecret(secret) };
}

/** @returns undefined when the text is no key */
export function parseApiKey(text: string): { id: string; hash: Buffer } | undefined {
  const [, body = '', id = '', secret = '', checksum] = format.exec(text) ?? [];
  return checksum !== undefined && checksum === checksumOf(body) ? { id, hash: hashSecret(secret) } : undefined;
}

/** The id that a text names which has the form of a key, right or wrong. */
export const apiKeyIdIn = (text: string): string | undefined => format.exec(text)?.[2];

const checksumOf = (body: string) => crc32(body).toString(16).padStart(8, '0');

/** Without salt or stretching: 256 random bits cannot be guessed. */
const hashSecret = (secret: string) => createHash('sha256').update(secret).digest();
