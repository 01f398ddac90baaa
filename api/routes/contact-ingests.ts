import { z } from 'zod';
import { ContactIngest, ContactIngestList, ContactIngestListQuery } from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, ContactIngestParams, json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'contactIngests' | 'control'>;

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

export const noIngest = (id: string) => new AlfredError('not_found', `There is no upload of contacts ${id} of yours.`);
