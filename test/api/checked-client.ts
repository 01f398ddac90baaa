import { expect } from '@jest/globals';
import type { AnySchema } from 'ajv';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** JSON from the API, untyped, so that tests can read any field. */
export type AnyJson = ReturnType<typeof JSON.parse>;
export type JsonObject = Record<string, AnyJson>;
/** A response before it is parsed, with its request's method and path. */
export type RawResponse = { method: string; path: string; status: number; headers: Headers; text: string };
export type CheckedResponse = { status: number; headers: Headers; body: AnyJson };

/** The schema of the events by the collection that they are about. */
const eventSchemas: Record<string, string> = {
  conversations: 'ConversationEvent',
  ingestions: 'IngestionEvent',
  tasks: 'TaskEvent',
};
const problem = { $ref: '#/components/schemas/Problem' };

/**
 * A client that fails on every response that /openapi.json does not document: its status, media type or body, or a
 * missing header.
 */
export async function createCheckedClient(url: string) {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as JsonObject;
  const check = createResponseCheck(document);

  const request = async (path: string, init: RequestInit = {}): Promise<CheckedResponse> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const { status, headers } = response;
    return check({ method: init.method ?? 'GET', path, status, headers, text });
  };
  const json = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    request(path, { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

  return {
    document,
    check,
    request,
    get: (path: string, headers = {}) => request(path, { headers }),
    json,
    post: json.bind(undefined, 'POST'),
  };
}

/** @returns a function that checks one response against the document, and returns it parsed */
export function createResponseCheck(document: JsonObject) {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  const compiled = new Map<string, ValidateFunction>();
  const matches = (schema: AnySchema, value: unknown, where: string) => {
    const key = JSON.stringify(schema);
    const validate = compiled.get(key) ?? ajv.compile({ ...(schema as object), components: document['components'] });
    compiled.set(key, validate);
    if (!validate(value))
      throw new Error(
        `${where} does not fit the document: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`,
      );
  };
  const paths = Object.keys(document['paths']).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
  }));

  return ({ method, path, status, headers, text }: RawResponse): CheckedResponse => {
    const where = `${method} ${path} → ${status}`;
    const media = headers.get('content-type')?.split(';')[0] ?? '';
    const body = /json$/.test(media) && text !== '' ? JSON.parse(text) : text;
    expect([where, headers.get('x-request-id')]).toEqual([where, expect.stringMatching(/^[\w.:-]{1,128}$/)]);
    expect(text).not.toMatch(/node_modules|\n\s+at /);

    const template = paths.find(({ pattern }) => pattern.test(path.split('?')[0] ?? ''))?.template;
    const operation = template === undefined ? undefined : document['paths'][template][method.toLowerCase()];
    if (!operation) {
      // The path is not documented, or not with this method.
      expect([where, media]).toEqual([where, 'application/problem+json']);
      matches(problem, body, where);
      if (template !== undefined && status === 405)
        expect(headers.get('allow')).toContain(Object.keys(document['paths'][template])[0]?.toUpperCase());
      return { status, headers, body };
    }
    const response = operation.responses[status];
    if (!response) throw new Error(`${where} is not documented: ${text.slice(0, 500)}`);
    for (const [name, header] of Object.entries<JsonObject>(response.headers ?? {})) {
      const value = headers.get(name);
      if (value === null && header['required']) throw new Error(`${where} lacks ${name}`);
      if (value !== null)
        matches(header['schema'], header['schema'].type === 'integer' ? Number(value) : value, `${where} ${name}`);
    }
    if (!response.content) expect([where, text]).toEqual([where, '']);
    else if (media === 'text/event-stream') {
      for (const event of eventsIn(text)) {
        const schema = eventSchemas[template?.split('/')[2] ?? ''];
        matches({ $ref: `#/components/schemas/${schema}` }, event.data, where);
      }
    } else {
      const documented = response.content[media];
      if (!documented)
        throw new Error(`${where} answers "${media}", documented: ${Object.keys(response.content).join(', ')}`);
      matches(documented.schema, body, where);
    }
    if (media === 'application/problem+json')
      expect([where, body.status, body.requestId]).toEqual([where, status, headers.get('x-request-id')]);
    return { status, headers, body };
  };
}

/** The events of a `text/event-stream`, without comments. */
export function eventsIn(text: string): { id: number; event: string; data: AnyJson }[] {
  return text
    .split('\n\n')
    .map((frame) =>
      Object.fromEntries(frame.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)])),
    )
    .filter((frame) => frame['data'] !== undefined)
    .map(({ id, event, data }) => ({ id: Number(id), event: String(event), data: JSON.parse(String(data)) }));
}
