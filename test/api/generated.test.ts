import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { resolve, type JsonObject } from './checked-client.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const anything = fc.oneof(fc.jsonValue(), fc.constantFrom('\u0000', '\ud800', 1e308, -1, '', null, 'x'.repeat(30_000)));
/** Values that a schema allows, and sometimes one that it does not. */
function valueOf(schema: JsonObject, schemas: JsonObject): Arbitrary<unknown> {
  if (schema['$ref']) return valueOf(schemas[String(schema['$ref']).split('/').pop() ?? ''], schemas);
  return fc.oneof({ weight: 12, arbitrary: fitting(schema, schemas) }, { weight: 1, arbitrary: anything });
}

function fitting(schema: JsonObject, schemas: JsonObject): Arbitrary<unknown> {
  if (schema['anyOf']) return schema['type'] ? anything : fc.jsonValue();
  if (schema['enum']) return fc.constantFrom(...schema['enum']);
  switch (schema['type']) {
    case 'object': {
      const properties = Object.entries<JsonObject>(schema['properties'] ?? {});
      if (properties.length === 0)
        return fc.oneof(
          {
            weight: 11,
            arbitrary: fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), anything), { maxKeys: 4 }),
          },
          // What agents take.
          { weight: 1, arbitrary: fc.constant({ text: 'A question?' }) },
        );
      return fc.record(Object.fromEntries(properties.map(([name, inner]) => [name, valueOf(inner, schemas)])), {
        requiredKeys: schema['required'] ?? [],
      });
    }
    case 'integer':
      return fc.integer({
        min: Math.max(schema['minimum'] ?? -10, -10),
        max: Math.min(schema['maximum'] ?? 1_000, 100_000),
      });
    case 'boolean':
      return fc.boolean();
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'string':
      if (schema['format'] === 'uuid') return fc.oneof(fc.uuid(), fc.string());
      if (schema['format'] === 'date-time')
        return fc.oneof(
          fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
          fc.string(),
        );
      if (schema['format'] === 'date')
        return fc.oneof(
          fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
          fc.constantFrom('2026-01-01', '2026-12-31', '1970-01-01', '0000-01-01', '9999-12-31'),
          fc.string(),
        );
      // A callback to this machine is never called.
      if (schema['format'] === 'uri') return fc.oneof(fc.constant('http://127.0.0.1/called'), fc.string());
      if (schema['pattern']?.includes('whsec_'))
        return fc.oneof(fc.constant(`whsec_${Buffer.alloc(32, 7).toString('base64')}`), fc.string());
      return fc.string({ unit: 'binary', minLength: schema['minLength'] ?? 0, maxLength: 200 });
    default:
      return fc.jsonValue();
  }
}

type Generated = { method: string; path: string; headers: Record<string, string>; body: string | undefined };

/** Requests for the documented operations. Each part is sometimes invalid. */
function requests(document: JsonObject): Arbitrary<Generated> {
  const schemas = document['components'].schemas as JsonObject;
  const absent = '01a2016f-73a4-7695-9a05-0f2fb996e093';
  // The task is not deleted: later requests need it.
  const knownTo = (method: string) => (method === 'delete' ? fc.constant(absent) : fc.constantFrom(absent, taskId));
  const operations = Object.entries<JsonObject>(document['paths']).flatMap(([template, item]) =>
    Object.entries<JsonObject>(item).map(([method, operation]) => {
      const parameters = ((operation['parameters'] ?? []) as JsonObject[]).map((one) => resolve(document, one));
      const of = (place: string) => parameters.filter((parameter) => parameter['in'] === place);
      const values = (place: string) =>
        fc.record(
          Object.fromEntries(of(place).map(({ name, schema }) => [name, valueOf(schema, schemas).map(asText)])),
          { requiredKeys: [] },
        );
      const schema = operation['requestBody']?.content['application/json']?.schema as JsonObject | undefined;
      const arbitrary = fc
        .record({
          id: fc.oneof({ weight: 4, arbitrary: knownTo(method) }, fc.string({ unit: 'binary', minLength: 1 })),
          query: values('query'),
          headers: values('header'),
          body: schema
            ? fc.oneof(
                { weight: 8, arbitrary: valueOf(schema, schemas).map((value) => JSON.stringify(value)) },
                // Hardly any body that is made by chance starts a task.
                { weight: template === '/v1/tasks' ? 8 : 0, arbitrary: fc.constant('{"input":{"text":"What?"}}') },
                fc.string(),
              )
            : fc.constant(undefined),
          type: fc.oneof(
            { weight: 12, arbitrary: fc.constant('application/json') },
            fc.constantFrom('text/plain', 'multipart/form-data; boundary=x', 'multipart/form-data'),
          ),
          accept: fc.oneof(
            { weight: 6, arbitrary: fc.constant('application/json') },
            fc.constantFrom('*/*', 'text/html', 'nonsense'),
          ),
        })
        .map(({ id, query, headers, body, type, accept }) => ({
          method: method.toUpperCase(),
          path: `${template.replace(/\{(id|name)\}/, encodeURIComponent(id.toWellFormed()))}?${new URLSearchParams(query).toString()}`,
          headers: { accept, ...cleaned(headers), ...(body === undefined ? {} : { 'content-type': type }) },
          body,
        }));
      return { weight: template === '/v1/tasks' ? 4 : 1, arbitrary };
    }),
  );
  return fc.oneof(...operations);
}

const asText = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
/** Headers that an HTTP client can send, without `prefer`: a long wait would only be slow. */
const cleaned = (headers: JsonObject) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name !== 'prefer')
      .map(([name, value]) => [
        name,
        String(value)
          .replace(/[^\x20-\x7e\x80-\xff]/g, '')
          .trim()
          .slice(0, 1_000),
      ]),
  );

let taskId = '';

test('thousands of generated requests get no server error and no undocumented response', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const { body } = await api.http.post('/v1/tasks', { input: { text: 'first' } });
  taskId = body.id;
  const statuses = new Map<string, number>();
  const generated = fc.sample(requests(api.http.document), { numRuns: 4_000, seed: 7 });
  const send = async ({ method, path, headers, body: sent }: Generated) => {
    const response = await api.app.inject({
      method: method as 'GET',
      url: path,
      headers: { host: 'localhost', ...headers },
      ...(sent === undefined ? {} : { payload: sent }),
    });
    const name = `${method} ${response.statusCode}`;
    statuses.set(name, (statuses.get(name) ?? 0) + 1);
    const answered = new Headers(
      Object.entries(response.headers).map(([key, value]) => [key, String(value)] as [string, string]),
    );
    api.http.check({ method, path, status: response.statusCode, headers: answered, text: response.body });
    // Readiness may be 503 on a busy machine.
    if (path.startsWith('/healthz')) return;
    expect([method, path, sent, response.statusCode >= 500 ? response.body : '']).toEqual([method, path, sent, '']);
  };
  const queue = generated.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const request of queue) await send(request);
    }),
  );
  // Some requests are valid enough to reach the handlers.
  for (const reached of ['POST 202', 'POST 422', 'GET 200', 'GET 404', 'DELETE 404'])
    expect(statuses.get(reached) ?? 0).toBeGreaterThan(2);
});
