import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Validator } from '@seriousme/openapi-schema-validator';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { createSchemaCheck, resolve, type AnyJson, type JsonObject } from './checked-client.ts';
import { readExampleRequests, readFirstEvent, sendExample } from './example-requests.ts';
import { scriptForExamples, seedForExamples } from './example-seeds.ts';
import { generateClients } from './generated-clients.ts';

let api: ApiHarness;
let workers: RunningWorkers;
let seeds: Awaited<ReturnType<typeof seedForExamples>> | undefined;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1' });
  workers = await startWorkers(api, api, [documentsQueue]);
  scriptForExamples(api);
});
afterAll(async () => {
  await seeds?.close();
  await workers?.stop();
  await api?.close();
});

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
  expect(names).toHaveLength(96);
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
      Object.entries<JsonObject>(resolve(api.http.document, part)?.content ?? {}),
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

/** Parameters without an example, because a value of another place would not do: the description says what to send. */
const withoutExample = [
  'cursor',
  'last-event-id',
  'idempotency-key',
  'createdBefore',
  'conversationId',
  'parent',
  'taskId',
  'after',
  'before',
  'origin',
  'version',
  'end',
];

test('every parameter has a description, and an example where any value does', () => {
  for (const { operation } of operations())
    for (const reference of (operation['parameters'] ?? []) as JsonObject[]) {
      const { name, description, example } = resolve(api.http.document, reference);
      const where = `${operation['operationId']}: ${name}`;
      expect([where, description]).toEqual([where, expect.stringMatching(/./)]);
      if (!withoutExample.includes(name)) expect([where, example]).toEqual([where, expect.anything()]);
    }
});

test('every body has an example, and each example fits its schema', () => {
  const { document } = api.http;
  const check = createSchemaCheck(document);
  for (const { operation } of operations()) {
    const parts = [
      ['body', operation['requestBody']] as const,
      ...Object.entries<JsonObject>(operation['responses']).filter(([, response]) => !response['$ref']),
    ];
    for (const [part, body] of parts)
      for (const [media, { schema, example }] of Object.entries<JsonObject>(body?.content ?? {})) {
        if (media === 'multipart/form-data') continue;
        const where = `${operation['operationId']} ${part} ${media}`;
        expect([where, example]).toEqual([where, expect.anything()]);
        check(schema, example, where);
      }
  }
});

test('the webhooks have a named schema, and an example that fits it', () => {
  const check = createSchemaCheck(api.http.document);
  const bodies = Object.entries<JsonObject>(api.http.document['webhooks']).map(([name, { post }]) => {
    const { schema, example } = post.requestBody.content['application/json'];
    check(schema, example, name);
    return [name, schema.$ref.split('/').at(-1)];
  });
  expect(bodies).toEqual([
    ['taskEnded', 'TaskReport'],
    ['ingestionEnded', 'IngestionReport'],
  ]);
});

test('the schema of a source says which options go with which kind', () => {
  const { SourceRequest } = api.http.document['components'].schemas;
  const matches = (request: object) => {
    try {
      createSchemaCheck(api.http.document)(SourceRequest, { address: 'https://example.com', ...request }, '');
      return true;
    } catch {
      return false;
    }
  };
  expect([{}, { options: { sitemap: true } }, { kind: 'git', options: { branch: 'main' } }].map(matches)).toEqual([
    true,
    true,
    true,
  ]);
  const wrong = [{ options: { branch: 'main' } }, { kind: 's3', options: { sitemap: true } }, { kind: 'ftp' }];
  expect(wrong.map(matches)).toEqual([false, false, false]);
});

test('Redocly’s recommended rules find nothing', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const found = await lintFromString({
    source: JSON.stringify(api.http.document),
    absoluteRef: 'openapi.json',
    config,
  });
  expect(found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
});

test('each event and each error code has a name, and a union says which field tells its events apart', () => {
  const { schemas } = api.http.document['components'];
  for (const name of ['TaskEvent', 'ConversationEvent', 'IngestionEvent']) {
    const { oneOf, discriminator } = schemas[name];
    expect(discriminator.propertyName).toBe('type');
    expect(Object.values(discriminator.mapping)).toEqual(oneOf.map(({ $ref }: JsonObject) => $ref));
    for (const [type, reference] of Object.entries<string>(discriminator.mapping)) {
      const schema = schemas[reference.split('/').at(-1) ?? ''];
      expect([type, schema.properties.type.const, schema.description]).toEqual([type, type, expect.any(String)]);
    }
  }
  expect(Object.keys(schemas['ErrorCode']['x-error-codes'])).toEqual(schemas['ErrorCode'].enum);
  expect(schemas['ErrorCode']['x-error-codes']).toMatchObject({
    draining: { status: 503, repeat: true },
    invalid_request: { status: 422, repeat: false },
    effect_unknown: { repeat: false },
  });
});

/** Ids that an example makes for those after it: the operation, and the name of the id. */
const makes: Record<string, string> = {
  uploadDocuments: 'IngestionId',
  listDocuments: 'DocumentId',
  createTask: 'TaskId',
  createConversation: 'ConversationId',
  createSchedule: 'ScheduleId',
  createSource: 'SourceId',
  createApiKey: 'ApiKeyId',
  createMemory: 'MemoryId',
};
/** The order of the examples: uploads first, because others read what they make, and deletions last. */
const order = [/^uploadDocuments$/, /^listDocuments$/, /^create/, /^(?!delete|revoke)/, /^/];
const placeOf = (operationId: string) => order.findIndex((pattern) => pattern.test(operationId));

test('executing every example as it stands answers 2xx', async () => {
  seeds = await seedForExamples(api);
  const examples = [...readExampleRequests(api.http.document).values()].sort(
    (a, b) => placeOf(a.operationId) - placeOf(b.operationId),
  );
  expect(examples).toHaveLength(operations().length);
  const made: Record<string, string> = {};
  const statuses: Record<string, number> = {};
  for (const example of examples) {
    const id = seeds.ids[example.operationId] ?? made[example.idName ?? ''];
    if (example.operationId === 'followConversation') {
      const { status, text } = await readFirstEvent(`${api.url}/v1/conversations/${id}/events`);
      expect(text).toContain('event: conversation.');
      statuses[example.operationId] = status;
      continue;
    }
    const { status, body } = await sendExample(api.http, example, id);
    statuses[example.operationId] = status >= 200 && status < 300 ? status : body;
    const name = makes[example.operationId];
    if (name) made[name] = body.documents?.[0].id ?? body.id;
  }
  expect(Object.entries(statuses).filter(([, status]) => typeof status !== 'number')).toEqual([]);
}, 120_000);

describe('generated clients', () => {
  let clients: Awaited<ReturnType<typeof generateClients>>;
  beforeAll(async () => {
    clients = await generateClients(api.http.document);
  }, 120_000);
  afterAll(() => clients?.remove());

  test('compile under strict', () => expect(clients.faults).toEqual([]));

  test.each(['fetch', 'hey'] as const)(
    'of %s create a task, read it, page through the list, follow its events, and know an error by its code',
    async (program) => {
      expect(await clients.run(program, api.url)).toEqual({
        status: 'completed',
        text: 'Within 30 days.',
        pages: expect.any(Number),
        code: 'not_found',
        isEnded: true,
      });
    },
  );
});
