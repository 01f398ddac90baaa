import { isRecord } from '../contract/json.ts';

/** A code as programs give it, such as `ECONNRESET`: no sentence of another server fits. */
const plainCode = /^[A-Z][A-Z0-9_]{1,39}$/;

/**
 * The cause of an error as the log may have it: class, code and status of the error and of what caused it. The messages
 * of libraries repeat what a server answered, which is content.
 */
export function causeWithoutWords(error: unknown): Error {
  const parts: string[] = [];
  let one = error;
  while (isRecord(one) && parts.length < 5) {
    const facts = [
      factOf('code', one['code'] ?? one['envelopeCode']),
      factOf('status', one['status'] ?? one['statusCode']),
    ].join('');
    parts.push(`${one.constructor?.name ?? 'object'}${facts}`);
    one = one['cause'];
  }
  return new Error(parts.length === 0 ? `a thrown ${typeof error}` : parts.join(', caused by '));
}

const factOf = (name: string, value: unknown) =>
  typeof value === 'number' || (typeof value === 'string' && plainCode.test(value)) ? ` ${name} ${value}` : '';
