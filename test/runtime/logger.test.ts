import { expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { AlfredError } from '../../contract/errors.ts';
import { createLogger } from '../../runtime/logger.ts';

/** @returns the line that logging `err` writes */
function lineOf(err: unknown): Record<string, Record<string, unknown>> {
  let line = '';
  const log = createLogger({ ALFRED_LOG_LEVEL: 'info', ALFRED_LOG_FORMAT: 'json' }, 'api', {
    write(text: string) {
      line = text;
    },
  });
  log.error({ err }, 'failed');
  return JSON.parse(line) as Record<string, Record<string, unknown>>;
}

test('an error of a provider is logged by status, type and request id, without its words', () => {
  const body = { message: "[{'input': 'SALARY OF ANNA'}]", type: 'invalid_request_error', code: 'bad_field' };
  const answer = OpenAI.APIError.generate(400, { error: body }, undefined, new Headers({ 'x-request-id': 'req_1' }));
  const wrapped = new AlfredError('model_rejected', 'It says: SALARY OF ANNA', { cause: answer });
  for (const error of [answer, wrapped, new Error('SALARY OF ANNA', { cause: wrapped })]) {
    const { err } = lineOf(error);
    expect(err).toMatchObject({
      type: 'BadRequestError',
      message: 'the provider answered 400',
      status: 400,
      providerType: 'invalid_request_error',
      providerCode: 'bad_field',
      requestId: 'req_1',
    });
    expect(JSON.stringify(err)).not.toContain('SALARY');
  }
  expect(lineOf(wrapped)['err']).toMatchObject({ code: 'model_rejected' });
});

test('a text that is not JSON is not quoted', () => {
  try {
    JSON.parse('SALARY OF ANNA');
  } catch (error) {
    expect(JSON.stringify(lineOf(error))).not.toContain('SALARY');
  }
  expect.assertions(1);
});

test('any other error is logged with its message and its cause', () => {
  const { err } = lineOf(new Error('the pool is empty', { cause: new Error('no connection') }));
  expect(err?.['message']).toBe('the pool is empty: no connection');
});

test('words of others, which the model and the rows get, are left out', () => {
  const error = new AlfredError('tool_failed', 'The mail server answered 450.', {
    fullMessage: '450 <anna@example.com>',
  });
  expect(JSON.stringify(lineOf(error))).not.toContain('anna');
  expect(lineOf(error)['err']).toMatchObject({ code: 'tool_failed', message: 'The mail server answered 450.' });
  const ofMail = { code: 'ESOCKET', response: '450 <anna@example.com>', recipient: 'anna', command: 'RCPT TO:<anna>' };
  const broken = lineOf(Object.assign(new Error('the connection broke'), ofMail));
  expect(JSON.stringify(broken)).not.toContain('anna');
  expect(broken['err']).toMatchObject({ code: 'ESOCKET', message: 'the connection broke' });
});

test('a value that Postgres refused is not quoted, and what it refused it for is logged', () => {
  const ofPostgres = { severity: 'ERROR', code: '22P02', routine: 'string_to_uuid', where: 'SALARY' };
  const refused = Object.assign(new Error('invalid input syntax for type uuid: "SALARY"'), ofPostgres);
  for (const error of [refused, new Error('SALARY', { cause: refused })]) {
    const { err } = lineOf(error);
    expect(JSON.stringify(err)).not.toContain('SALARY');
    expect(err).toMatchObject({ message: 'Postgres refused a value', code: '22P02', routine: 'string_to_uuid' });
  }
});

test('the errors of several attempts are logged one by one', () => {
  const attempt = (address: string) =>
    Object.assign(new Error(`connect ECONNREFUSED ${address}`), {
      code: 'ECONNREFUSED',
      address,
      port: 5432,
      text: 'x',
    });
  const { err } = lineOf(new AggregateError([attempt('127.0.0.1'), attempt('::1')], 'no address answered'));
  expect(err?.['errors']).toEqual([
    expect.objectContaining({ code: 'ECONNREFUSED', address: '127.0.0.1', port: 5432 }),
    expect.objectContaining({ code: 'ECONNREFUSED', address: '::1' }),
  ]);
  expect(JSON.stringify(err)).not.toContain('"text"');
});
