import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../contract/json.ts';

/** SHA-256 (hex) of a tool call's arguments, the order of their keys aside: what was approved, and what may run. */
export const hashOfArguments = (value: JsonValue) => createHash('sha256').update(canonicalJson(value)).digest('hex');
