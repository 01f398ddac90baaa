import { z } from 'zod';
import { DocumentText, DocumentTextQuery } from '../../contract/documents.ts';
import { AlfredError, InvalidRequest } from '../../contract/errors.ts';
import { textRangeOf } from '../../contract/rules/text-range.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { negotiate } from '../http/negotiate.ts';
import { DocumentParams, problems } from '../http/responses.ts';
import { noDocument } from './documents.ts';

type Deps = Pick<ApiDeps, 'documents'>;

const integer = (description: string) => ({ type: 'integer', required: true, description });

export const documentTextRoutes =
  ({ documents }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/documents/:id/text',
      schema: {
        operationId: 'readDocumentText',
        tags: ['documents'],
        summary: 'Read a document’s text, or a part of it',
        description:
          'The text that was read from the file, in which `start` and `end` of citations and passages count: cut from it, they give the quote. Plain text, or with `Accept: application/json` a `DocumentText`. Up to 2,000,000 characters come at once. Only the newest version is kept: an older one is `410`.',
        params: DocumentParams,
        querystring: DocumentTextQuery,
        response: {
          200: {
            description: 'The text',
            headers: {
              'Text-Start': integer('Where the part begins'),
              'Text-End': integer('Where it ends; the start of the next part'),
              'Text-Characters': integer('Length of the whole text'),
              'Document-Version': integer('Of which version it is'),
            },
            content: { 'text/plain': { schema: z.string() }, 'application/json': { schema: DocumentText } },
          },
          ...problems('not_found', 'document_version_gone', 'invalid_request'),
        },
      },
      handler: async ({ scope, params: { id }, query, headers }, reply) => {
        const media = negotiate(headers.accept, ['text/plain', 'application/json']);
        const found = await documents.read(scope, id);
        if (!found) throw noDocument(id);
        const { document, text } = found;
        checkVersion(id, document.version, query.version);
        const range = textRangeOf(text, query);
        if ('message' in range) throw new InvalidRequest([{ path: `query.${range.path}`, message: range.message }]);
        const part = text.slice(range.start, range.end);
        void reply.headers({
          'text-start': range.start,
          'text-end': range.end,
          'text-characters': text.length,
          'document-version': document.version,
          // The text comes from an uploaded file: a browser must not take it for a page.
          'x-content-type-options': 'nosniff',
        });
        if (media === 'text/plain') return reply.type('text/plain; charset=utf-8').send(part);
        const { version, contentHash } = document;
        const body = { documentId: id, version, contentHash, ...range, characters: text.length, text: part };
        return reply.type(media).send(body);
      },
    });
  };

/** @throws AlfredError `document_version_gone`, `not_found` */
function checkVersion(id: string, current: number, wanted = current) {
  if (wanted < current)
    throw new AlfredError(
      'document_version_gone',
      `Version ${wanted} of document ${id} was replaced by version ${current}; texts of earlier versions are not kept. Leave out \`version\` to read the present one.`,
    );
  if (wanted > current)
    throw new AlfredError('not_found', `Document ${id} has no version ${wanted}; its newest is ${current}.`);
}
