import { Readable } from 'node:stream';
import { z } from 'zod';
import { attachment } from '../../contract/rules/attachment.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { negotiate } from '../http/negotiate.ts';
import { rejectedCsv, rejectedJsonLines } from '../http/rejected-contacts.ts';
import { ContactIngestParams, problems } from '../http/responses.ts';
import { noIngest } from './contact-ingests.ts';

/** A stream is sent. Fastify would have it a text by its schema. */
const Text: z.ZodType<Readable | string> = z.string();

export const rejectedContactRoutes =
  ({ contactIngests }: Pick<ApiDeps, 'contactIngests'>) =>
  async (app: Api) => {
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
  };
