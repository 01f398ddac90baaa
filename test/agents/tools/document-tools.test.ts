import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../../wiring/adapters.ts';
import { citationsOf, numberPassages } from '../../../activities/context/citations.ts';
import { agents } from '../../../agents/index.ts';
import { createTools } from '../../../agents/tools/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Tool } from '../../../contract/ports/index.ts';
import { passageListOf } from '../../../contract/rules/tool-output.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';

type Output = {
  passages: { documentId: string; text: string; start: number; end: number }[];
  nextStart?: number | null;
  characters?: number;
};

let env: TestEnvironment;
let adapters: Adapters;
let tools: Record<string, Tool>;
beforeAll(async () => {
  env = await createTestEnvironment({
    ALFRED_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    ALFRED_SMTP_URL: 'smtp://mail.example.com',
    ALFRED_MAIL_FROM: 'alfred@example.com',
  });
  adapters = createAdapters(env);
  tools = createTools(env.config, adapters);
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

async function run(name: string, input: JsonValue, scope = local) {
  const tool = tools[name];
  if (!tool) throw new Error(`no tool ${name}`);
  const { output, summary } = await tool.run(input, {
    scope,
    taskId: 't',
    receiptKey: 't/1',
    signal: AbortSignal.timeout(10_000),
    beforeSend: async () => {},
  });
  return { ...(output as unknown as Output), output, summary };
}

test('every tool that an agent names exists and has a closed object schema', () => {
  for (const name of Object.values(agents).flatMap((agent) => agent.tools)) {
    expect(tools[name]).toMatchObject({
      name,
      inputSchema: { type: 'object', additionalProperties: false, properties: {} },
    });
  }
  expect(tools['search_documents']?.inputSchema).toMatchObject({
    required: ['query'],
    properties: { limit: { default: 10 } },
  });
});

describe('search_documents', () => {
  test('returns passages, best first, with their number and the query in the summary', async () => {
    await putDocument(
      env.postgres.db,
      'travel.txt',
      '# Travel\n\nTrains are first class above three hours.\n\nFlights are economy class.',
    );
    const { passages, summary, output } = await run('search_documents', { query: 'train\nfirst class' });
    expect(passages[0]?.text).toBe('Trains are first class above three hours.\n\nFlights are economy class.');
    expect(summary).toMatch(/^1 passage found for “train first class”/);
    expect(output).toMatchObject({ query: 'train first class' });
    expect((await run('search_documents', { query: 'xylophone' })).summary).toBe('0 passages found for “xylophone”');
  });

  test('returns the nearest passages even when nothing is near, and says so to the model and to people', async () => {
    await putDocument(env.postgres.db, 'penguins.txt', 'Penguins may not be fed in the canteen.');
    const { passages, summary, output } = await run('search_documents', {
      query: 'how long do emperor penguins live in captivity according to zoologists',
    });
    expect(passages[0]?.text).toContain('Penguins');
    expect(output).toMatchObject({ evidence: expect.stringMatching(/^(weak|none)$/), note: expect.any(String) });
    expect(output).toMatchObject({ passages: [{ match: 'loose' }] });
    expect(summary).toMatch(/”, (loosely related|none of them near)$/);
  });

  test('shortens a long query in its output, so that a long result is still read on passage by passage', async () => {
    const query = `first class ${'😀 and more '.repeat(150)}`.trim();
    const { output, summary } = await run('search_documents', { query });
    expect(summary.length).toBeLessThan(150);
    expect(JSON.stringify(output).isWellFormed()).toBe(true);
    expect(passageListOf(output)?.length).toBeGreaterThan(0);
  });

  test.each([
    [{}, 'query'],
    [{ query: '  ' }, 'query'],
    [{ query: 'x', limit: 0 }, 'limit'],
    [{ query: 'x', top: 3 }, 'top'],
    ['train', 'object'],
  ])('refuses %j with a message that the model can act on', async (input, named) => {
    await expect(run('search_documents', input)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(new RegExp(`^search_documents was called wrongly\\..*${named}.*Call it again`)),
    });
  });
});

describe('read_document', () => {
  const text = `Handbook\n\n${'Rule 😀 by rule. '.repeat(200).trim()}`;

  test('the pieces of a document join to its text, without gaps, overlaps or broken characters', async () => {
    const { documentId } = await putDocument(env.postgres.db, 'handbook.txt', text);
    for (const maxCharacters of [1, 7, 1_000, 40_000]) {
      let read = '';
      let start: number | null = 0;
      while (start !== null) {
        const piece = await run('read_document', { documentId, start, maxCharacters });
        const passage = piece.passages[0];
        expect(passage?.start).toBe(read.length);
        expect(passage?.text.isWellFormed()).toBe(true);
        expect(piece.characters).toBe(text.length);
        read += passage?.text ?? '';
        start = maxCharacters === 1 && read.length > 100 ? null : (piece.nextStart ?? null);
      }
      expect(read).toBe(maxCharacters === 1 ? text.slice(0, read.length) : text);
    }
  });

  test('its text can be cited verbatim', async () => {
    const { documentId } = await putDocument(
      env.postgres.db,
      'cited.txt',
      'Badges\n\nLost badges are reported within 4 hours.',
    );
    const { output } = await run('read_document', { documentId });
    const messages = numberPassages([
      { role: 'tool', results: [{ callId: 'c', tool: 'read_document', output, isError: false }] },
    ]);
    const [citation] = citationsOf('Report a lost badge within 4 hours [1].', messages);
    expect(citation).toMatchObject({ documentId, document: 'cited.txt' });
    expect('Badges\n\nLost badges are reported within 4 hours.'.slice(citation?.start, citation?.end)).toBe(
      citation?.quote,
    );
  });

  test('finds neither documents of another tenant nor unknown ids', async () => {
    const { documentId } = await putDocument(env.postgres.db, 'private.txt', 'Private.', {
      scope: {
        tenant: 'other',
        subject: 'local',
      },
    });
    for (const id of [documentId, 'travel.txt']) {
      await expect(run('read_document', { documentId: id })).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining('search_documents'),
      });
    }
  });

  test('refuses a start after the end and reports the length', async () => {
    const { documentId } = await putDocument(env.postgres.db, 'short.txt', 'Short.');
    await expect(run('read_document', { documentId, start: 6 })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'start is 6, and "short.txt" has 6 characters. Use a smaller start.',
    });
  });
});
