import { expect, test } from '@jest/globals';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { causeWithoutWords } from '../../runtime/cause-without-words.ts';

const words = 'the salary of Ada is 7';

test('class, code and status of an error and of its causes stay, and no message', () => {
  const network = Object.assign(new Error(words), { code: 'ECONNRESET' });
  const failed = Object.assign(new TypeError(words, { cause: network }), { status: 502 });
  const { message, stack, cause } = causeWithoutWords(failed);
  expect(message).toBe('TypeError status 502, caused by Error code ECONNRESET');
  expect(`${stack} ${String(cause)}`).not.toContain('salary');
  expect(causeWithoutWords(new StreamableHTTPError(500, words)).message).toBe('StreamableHTTPError code 500');
});

test('what an error has as its code is left out when it is a sentence, and a thrown text is never repeated', () => {
  expect(causeWithoutWords(Object.assign(new Error(words), { code: words })).message).toBe('Error');
  expect(causeWithoutWords(words).message).toBe('a thrown string');
  expect(causeWithoutWords(undefined).message).toBe('a thrown undefined');
  const endless = new Error(words);
  endless.cause = endless;
  expect(causeWithoutWords(endless).message).toBe(
    'Error, caused by Error, caused by Error, caused by Error, caused by Error',
  );
});
