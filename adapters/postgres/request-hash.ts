import { canonicalJson } from '../../contract/json.ts';
import { hashOf } from './messages/contents.ts';

/** Tells whether a repeat under the same idempotency key is the same request, in whatever order its keys come. */
export const requestHashOf = (request: unknown): string => hashOf(canonicalJson(request));
