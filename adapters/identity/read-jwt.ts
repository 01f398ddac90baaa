import { AlfredError } from '../../contract/errors.ts';
import { isRecord, parseJson } from '../../contract/json.ts';
import { hasDuplicateMembers } from './duplicate-members.ts';

/** Signatures by public keys only: with `none` or HS256 anybody could sign, the latter with the public key itself. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** The longest token that is read. Headers of a request are limited to 16 KB together anyway. */
const maxLength = 16_000;
/** Members of a header that bring a key or say where one is: only the keys of the issuer count. */
const foreignKeys = ['jwk', 'jku', 'x5u', 'x5c'];

type Json = Record<string, unknown>;
export type Jwt = { header: Json; claims: Json };

/**
 * Reads a JWT without verifying its signature, and refuses what no issuer sends.
 *
 * @throws AlfredError `token_invalid`
 */
export function readJwt(token: string): Jwt {
  if (token.length > maxLength) throw invalid(`it is longer than ${maxLength} characters`);
  const parts = token.split('.');
  if (parts.length !== 3) throw invalid('it is not a signed JWT');
  const [head = '', body = ''] = parts;
  const header = readPart(head, 'header');
  if (!algorithms.includes(header['alg'] as string)) throw invalid('its algorithm is not one that counts');
  if ('crit' in header) throw invalid('its header has `crit`');
  const foreign = foreignKeys.find((name) => name in header);
  if (foreign !== undefined) throw invalid(`its header has \`${foreign}\``);
  return { header, claims: readPart(body, 'payload') };
}

/** @param reason for the log; says nothing of the token's content */
export const invalid = (reason: string) =>
  new AlfredError('token_invalid', undefined, { cause: new Error(`The token was refused: ${reason}.`) });

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readPart(part: string, name: string): Json {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) throw invalid(`its ${name} is not base64url`);
  let text: string;
  try {
    text = utf8.decode(Buffer.from(part, 'base64url'));
  } catch {
    throw invalid(`its ${name} is not UTF-8`);
  }
  const value = parseJson(text);
  if (!isRecord(value)) throw invalid(`its ${name} is not a JSON object`);
  if (hasDuplicateMembers(text)) throw invalid(`its ${name} has a member twice`);
  return value;
}
