import { z } from 'zod';
import {
  Document,
  DocumentList,
  DocumentListQuery,
  DocumentUpload,
  Ingestion,
  PlacementQuery,
  SearchRequest,
  SearchResult,
} from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import { documentReachOf } from '../../contract/rules/policy.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { ingestionPath, type Views } from '../links.ts';
import { bodyProblems, DocumentParams, json, location, problems } from '../http/responses.ts';
import { bytesOf, uploadOf } from '../http/upload.ts';
import { preferenceApplied, WaitHeaders } from '../http/wait-for-end.ts';
import { waitForIngestion } from './ingestions.ts';

type Deps = Pick<ApiDeps, 'config' | 'control' | 'documents' | 'index' | 'ingestionEvents'> & {
  views: Views;
  draining: AbortSignal;
};

const multipartForm = {
  type: 'object',
  description: 'Any number of files, under any field name; a file name may be a relative path',
  properties: {
    file: { type: 'array', items: { type: 'string', format: 'binary' } },
    callback: { type: 'string', description: 'JSON of a `Callback`: tells a server of yours when the files were read' },
  },
  required: ['file'],
};

export const documentRoutes = (deps: Deps) => async (app: Api) => {
  const { config, control, documents, index, views } = deps;
  const maxMegabytes = config.ALFRED_MAX_UPLOAD_MB;

  app.route({
    method: 'POST',
    url: '/v1/documents',
    bodyLimit: bytesOf(maxMegabytes),
    config: { limitVariable: 'ALFRED_MAX_UPLOAD_MB' },
    schema: {
      operationId: 'uploadDocuments',
      tags: ['documents'],
      summary: 'Add or replace documents',
      description:
        'The files are stored when the answer comes, and read after it: follow the ingestion. The query string names their collection and readers, for all files of the upload: ?collection=hr&readers=group:hr,subject:ann&tags=policy.',
      querystring: PlacementQuery,
      headers: WaitHeaders,
      bodies: { 'application/json': DocumentUpload, 'multipart/form-data': multipartForm },
      response: {
        200: json('The files were read within the time that `Prefer` gave', Ingestion, {
          ...location('the progress'),
          ...preferenceApplied,
        }),
        202: json('The files are being read', Ingestion, { ...location('the progress'), ...preferenceApplied }),
        ...problems('too_many_uploads', 'tenant_full', ...bodyProblems),
      },
    },
    handler: async (request, reply) => {
      const { scope, query, headers } = request;
      const { files, callback } = await uploadOf(request, maxMegabytes);
      const row = await control.ingestions.create(scope, files, query, callback);
      const current = await waitForIngestion(deps, reply, row, { scope, prefer: headers.prefer });
      return reply
        .code(current.status === 'running' ? 202 : 200)
        .header('location', ingestionPath(row.id))
        .send(views.ingestion(current));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/documents',
    schema: {
      operationId: 'listDocuments',
      tags: ['documents'],
      summary: 'List documents by name',
      querystring: DocumentListQuery,
      response: { 200: json('One page', DocumentList), ...problems('invalid_request') },
    },
    handler: async ({ scope, query }, reply) => reply.send(await documents.list(scope, query)),
  });

  app.route({
    method: 'GET',
    url: '/v1/documents/:id',
    schema: {
      operationId: 'getDocument',
      tags: ['documents'],
      summary: 'Read a document’s description',
      params: DocumentParams,
      response: { 200: json('The document', Document), ...problems('not_found') },
    },
    handler: async ({ scope, params }, reply) => {
      const document = await documents.get(scope, params.id);
      if (!document) throw noDocument(params.id);
      return reply.send(document);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/documents/:id',
    schema: {
      operationId: 'deleteDocument',
      tags: ['documents'],
      summary: 'Delete a document; it is no longer found from now on',
      params: DocumentParams,
      response: { 204: z.null().describe('Deleted'), ...problems('not_found', ...bodyProblems) },
    },
    handler: async ({ scope, params }, reply) => {
      if (!(await documents.delete(documentReachOf(scope, 'delete'), params.id))) throw notDeleted(params.id);
      return reply.code(204).send(null);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/search',
    schema: {
      operationId: 'searchDocuments',
      tags: ['documents'],
      summary: 'Search the documents',
      body: SearchRequest,
      response: { 200: json('Passages, best first', SearchResult), ...problems('index_unavailable', ...bodyProblems) },
    },
    handler: async ({ scope, body }, reply) => reply.send(await index.search(scope, body)),
  });
};

/** The same words whether it is missing or another person's: who may not read it does not learn that it exists. */
const notDeleted = (id: string) =>
  new AlfredError(
    'not_found',
    `There is no document ${id}, or it is not yours to delete. Its owner deletes it, and so do the roles developer and admin.`,
  );

export const noDocument = (id: string) => new AlfredError('not_found', `There is no document ${id}.`);
