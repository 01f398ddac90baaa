import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { JsonObject, AnyJson } from './checked-client.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const operations = () =>
  Object.entries<JsonObject>(api.http.document['paths']).flatMap(([path, item]) =>
    Object.entries<JsonObject>(item).map(([method, operation]) => ({ path, method, operation })),
  );

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(api.http.document));
  expect(result).toMatchObject({ valid: true });
  expect(api.http.document['openapi']).toBe('3.1.0');
});

test('every operation has a name, a summary, a tag and its error responses', () => {
  const names = operations().map(({ operation }) => operation['operationId']);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(63);
  for (const { path, operation } of operations()) {
    expect(operation).toMatchObject({
      operationId: expect.any(String),
      summary: expect.any(String),
      tags: [expect.any(String)],
    });
    if (path.startsWith('/v1/'))
      expect(Object.keys(operation['responses'])).toEqual(expect.arrayContaining(['403', '406', '500', '503']));
  }
});

test('every reference resolves, and every request and response body is a named schema', () => {
  const schemas = api.http.document['components'].schemas;
  for (const [, name] of JSON.stringify(api.http.document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
    expect(schemas).toHaveProperty([name ?? '']);
  for (const { path, operation } of operations().filter((one) => one.path.startsWith('/v1/'))) {
    const contents = [operation['requestBody'], ...Object.values(operation['responses'])].flatMap((part: AnyJson) =>
      Object.entries<JsonObject>(part?.content ?? {}),
    );
    for (const [media, { schema }] of contents.filter(([type]) => type.endsWith('json')))
      expect([path, media, schema]).toEqual([path, media, { $ref: expect.any(String) }]);
  }
});

test('the documentation page loads nothing from other servers', async () => {
  const page = await fetch(`${api.url}/docs`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self'/);
  const html = await page.text();
  for (const [, source = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(source).toMatch(/^\/docs\//);
    const asset = await fetch(api.url + source);
    expect([source, asset.status, (await asset.bytes()).length > 0]).toEqual([source, 200, true]);
  }
});

test('HEAD answers like GET without a body', async () => {
  const response = await fetch(`${api.url}/v1/agents`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
});
