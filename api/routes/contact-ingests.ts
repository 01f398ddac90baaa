import { Readable } from 'node:stream';
import { z } from 'zod';
import { ContactIngest, ContactIngestList, ContactIngestListQuery } from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import { attachment } from '../../contract/rules/attachment.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { negotiate } from '../http/negotiate.ts';
import { rejectedCsv, rejectedJsonLines } from '../http/rejected-contacts.ts';
import { bodyProblems, ContactIngestParams, json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'contactIngests' | 'control'>;

/** A stream is sent. Fastify would have it a text by its schema. */
const Text: z.ZodType<Readable | string> = z.string();

export const contactIngestRoutes =
  ({ contactIngests, control }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/contact-ingests',
      schema: {
        operationId: 'listContactIngests',
        tags: ['contacts'],
        summary: 'List your uploads of contacts, newest first',
        querystring: ContactIngestListQuery,
        response: { 200: json('One page', ContactIngestList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => reply.send(await contactIngests.list(scope, query)),
    });

    app.route({
      method: 'GET',
      url: '/v1/contact-ingests/:id',
      schema: {
        operationId: 'getContactIngest',
        tags: ['contacts'],
        summary: 'Progress of an upload of contacts',
        params: ContactIngestParams,
        response: { 200: json('How far it is', ContactIngest), ...problems('not_found') },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const ingest = await control.contacts.read(scope, id);
        if (!ingest) throw noIngest(id);
        return reply.send(ingest);
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/contact-ingests/:id/rejected',
      schema: {
        operationId: 'listRejectedContacts',
        tags: ['contacts'],
        summary: 'Download the lines that were rejected, with the reason',
        description:
          'Correct them and send them again: columns whose names begin with `alfred_` are left out then. In a CSV a cell that a spreadsheet would run has an apostrophe before it, which is taken away again. They are kept for 30 days.',
        params: ContactIngestParams,
        response: {
          200: {
            description: 'As CSV, or with one JSON object a line. Default: CSV for CSV and vCards',
            headers: {
              'Content-Disposition': { type: 'string', required: true, description: 'Names the file (RFC 6266)' },
            },
            content: { 'text/csv': { schema: Text }, 'application/jsonl': { schema: Text } },
          },
          ...problems('not_found'),
        },
      },
      handler: async ({ scope, params: { id }, headers }, reply) => {
        const ingest = await contactIngests.get(scope, id);
        if (!ingest) throw noIngest(id);
        const isText = ingest.format === 'csv' || ingest.format === 'vcard';
        const media = negotiate(
          headers.accept,
          isText ? (['text/csv', 'application/jsonl'] as const) : (['application/jsonl', 'text/csv'] as const),
        );
        const isCsv = media === 'text/csv';
        const read = (after: number, limit: number) => contactIngests.listRejects(scope, id, after, limit);
        const texts = isCsv ? rejectedCsv(read, await contactIngests.columnsOf(scope, id)) : rejectedJsonLines(read);
        void reply.headers({
          'content-type': isCsv ? 'text/csv; charset=utf-8' : media,
          'content-disposition': attachment(`rejected-${id}.${isCsv ? 'csv' : 'jsonl'}`),
          'x-content-type-options': 'nosniff',
        });
        return reply.send(Readable.from(texts, { objectMode: false }));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/contact-ingests/:id/cancel',
      schema: {
        operationId: 'cancelContactIngest',
        tags: ['contacts'],
        summary: 'Stop an upload of contacts; what it has stored stays',
        description: 'An upload that has ended stays as it is.',
        params: ContactIngestParams,
        response: {
          200: json('The upload, which has ended', ContactIngest),
          ...problems('not_found', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const ingest = await control.contacts.cancel(scope, id);
        if (!ingest) throw noIngest(id);
        return reply.send(ingest);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/v1/contact-ingests/:id',
      schema: {
        operationId: 'deleteContactIngest',
        tags: ['contacts'],
        summary: 'Delete an upload of contacts that has ended, with its rejected lines; its contacts stay',
        params: ContactIngestParams,
        response: {
          204: z.null().describe('Deleted'),
          ...problems('not_found', 'contact_ingest_running', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await contactIngests.delete(scope, id))) throw noIngest(id);
        return reply.code(204).send(null);
      },
    });
  };

const noIngest = (id: string) => new AlfredError('not_found', `There is no upload of contacts ${id} of yours.`);
