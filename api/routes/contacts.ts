import { z } from 'zod';
import {
  Contact,
  ContactList,
  ContactListQuery,
  ContactMerge,
  ContactMergeList,
  ContactMergeListQuery,
} from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, ContactMergeParams, ContactParams, json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'contacts' | 'control'>;

export const contactRoutes =
  ({ contacts, control }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/contacts',
      schema: {
        operationId: 'listContacts',
        tags: ['contacts'],
        summary: 'List or search the contacts of your tenant, newest first',
        querystring: ContactListQuery,
        response: { 200: json('One page', ContactList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => reply.send(await contacts.list(scope.tenant, query)),
    });

    app.route({
      method: 'GET',
      url: '/v1/contacts/:id',
      schema: {
        operationId: 'getContact',
        tags: ['contacts'],
        summary: 'Read a contact',
        params: ContactParams,
        response: { 200: json('The contact', Contact), ...problems('not_found') },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const contact = await contacts.get(scope.tenant, id);
        if (!contact) throw noContact(id);
        return reply.send(contact);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/v1/contacts/:id',
      schema: {
        operationId: 'deleteContact',
        tags: ['contacts'],
        summary: 'Delete a contact, with all that was merged into it',
        description: 'What a CRM has of it stays there: delete it there too.',
        params: ContactParams,
        response: { 204: z.null().describe('Deleted'), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await contacts.delete(scope.tenant, id))) throw noContact(id);
        return reply.code(204).send(null);
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/contact-merges',
      schema: {
        operationId: 'listContactMerges',
        tags: ['contacts'],
        summary: 'List what was merged into contacts, newest first',
        querystring: ContactMergeListQuery,
        response: { 200: json('One page', ContactMergeList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => reply.send(await contacts.listMerges(scope.tenant, query)),
    });

    app.route({
      method: 'POST',
      url: '/v1/contact-merges/:id/undo',
      schema: {
        operationId: 'undoContactMerge',
        tags: ['contacts'],
        summary: 'Take back a merge: what came by it is a contact of its own again',
        description: 'The two stay apart from then on: no later upload merges them. A repeat changes nothing.',
        params: ContactMergeParams,
        response: {
          200: json('The merge', ContactMerge),
          ...problems('not_found', 'contact_absorbed', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const merge = await control.contacts.undoMerge(scope.tenant, id);
        if (!merge) throw new AlfredError('not_found', `There is no merge ${id}.`);
        return reply.send(merge);
      },
    });
  };

const noContact = (id: string) => new AlfredError('not_found', `There is no contact ${id}.`);
