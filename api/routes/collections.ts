import { z } from 'zod';
import { Collection, CollectionList, CollectionListQuery, CollectionSettings } from '../../contract/collections.ts';
import { CollectionName } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { parse } from '../http/problems.ts';
import { bodyProblems, json, problems } from '../http/responses.ts';

const NameParams = z.object({ name: z.string().describe('Of the collection, percent-encoded') });

export const collectionRoutes =
  ({ collections }: Pick<ApiDeps, 'collections'>) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/collections',
      schema: {
        operationId: 'listCollections',
        tags: ['documents'],
        summary: 'List collections by name: their settings, and how much of them you may read',
        querystring: CollectionListQuery,
        response: { 200: json('One page', CollectionList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => reply.send(await collections.list(scope, query)),
    });

    app.route({
      method: 'GET',
      url: '/v1/collections/:name',
      schema: {
        operationId: 'getCollection',
        tags: ['documents'],
        summary: 'Read a collection’s settings, and how much of it you may read',
        params: NameParams,
        response: { 200: json('The collection', Collection), ...problems('not_found', 'invalid_request') },
      },
      handler: async ({ scope, params }, reply) => {
        const name = nameOf(params);
        const collection = await collections.get(scope, name);
        if (!collection)
          throw new AlfredError(
            'not_found',
            `There is no collection ${name}: it has no document that you may read, and no settings.`,
          );
        return reply.send(collection);
      },
    });

    app.route({
      method: 'PUT',
      url: '/v1/collections/:name',
      schema: {
        operationId: 'setCollection',
        tags: ['documents'],
        summary: 'Set how documents of a collection are cut',
        description:
          'Holds for what is added or synced from now on, and for each document that is there as soon as it is added or synced again, changed or not.',
        params: NameParams,
        body: CollectionSettings,
        response: { 200: json('The collection', Collection), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params, body }, reply) => reply.send(await collections.set(scope, nameOf(params), body)),
    });
  };

const nameOf = ({ name }: { name: string }) => parse(CollectionName, name, ['name']);
