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

/** @returns a function that checks a value against a schema of the document */
export function createSchemaCheck(document: JsonObject) {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateSchema: false });
  addFormats.default(ajv);
  // The document leaves responses open for fields of later versions. This version answers with the documented ones.
  // Added once under a name, so that each of its schemas is compiled once.
  ajv.addSchema({ $id: 'document', components: { schemas: closed(document['components'].schemas) } });
  const compiled = new Map<string, ValidateFunction>();
  return (schema: AnySchema, value: unknown, where: string) => {
    const key = JSON.stringify(schema);
    const validate = compiled.get(key) ?? ajv.compile(inDocument(closed(schema)));
    compiled.set(key, validate);
    if (!validate(value))
      throw new Error(
        `${where} does not fit the document: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`,
      );
  };
}

/** @returns a function that checks one response against the document, and returns it parsed */
export function createResponseCheck(document: JsonObject) {
  const matches = createSchemaCheck(document);
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
    const declared = operation.responses[status];
    const response = resolve(document, declared);
    if (!response) throw new Error(`${where} is not documented: ${text.slice(0, 500)}`);
    for (const [name, given] of Object.entries<JsonObject>(response.headers ?? {})) {
      const header = resolve(document, given) as JsonObject;
      const value = headers.get(name);
      if (value === null && header['required']) throw new Error(`${where} lacks ${name}`);
      if (value !== null)
        matches(header['schema'], header['schema'].type === 'integer' ? Number(value) : value, `${where} ${name}`);
    }
    if (!response.content) expect([where, text]).toEqual([where, '']);
    else if (media === 'text/event-stream') {
      for (const event of eventsIn(text)) {
        matches(response.content[media].schema, event.data, where);
      }
    } else {
      const documented = response.content[media] ?? response.content['*/*'] ?? pageOf(document, template, media);
      if (!documented)
        throw new Error(`${where} answers "${media}", documented: ${Object.keys(response.content).join(', ')}`);
      matches(documented.schema, body, where);
    }
    if (media === 'application/problem+json') {
      expect([where, body.status, body.requestId]).toEqual([where, status, headers.get('x-request-id')]);
      // The operation's own words name each code that it answers with.
      expect([where, declared.description]).toEqual([where, expect.stringContaining(`\`${body.code}\``)]);
    }
    return { status, headers, body };
  };
}

/** What a reference of the document stands for. */
export function resolve(document: JsonObject, part: JsonObject | undefined): AnyJson {
  const path = part?.['$ref'] as string | undefined;
  if (path === undefined) return part;
  return path
    .slice(2)
    .split('/')
    .reduce<AnyJson>((inside, name) => inside[name], document);
}

/** With `Accept: application/json` a stream of events answers with a page, as the operation for pages does. */
const pageOf = (document: JsonObject, template: string | undefined, media: string) =>
  template?.endsWith('/events') ? document['paths'][`${template}/page`].get.responses['200'].content[media] : undefined;

/** A copy of a schema whose objects take no other fields than those that they name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return copy['type'] === 'object' && copy['properties'] && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

/** A schema whose references lead to the document that was added to the validator. */
const inDocument = (schema: unknown) =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as object;

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
