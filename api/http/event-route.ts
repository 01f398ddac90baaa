import { z } from 'zod';
import { EventPageQuery, TaskEventsQuery } from '../../contract/events.ts';
import type { Scope } from '../../contract/references.ts';
import type { toEventStream } from './event-stream.ts';
import type { Api } from './fastify.ts';
import { negotiate } from './negotiate.ts';
import { pageSize, placeOf, ResumeHeaders, type OpenStream } from './open-stream.ts';
import { json, problems } from './responses.ts';

type Event = { seq: number; type: string };

type EventRoute<E extends Event> = {
  url: `/v1/${string}/:id/events`;
  /** The names of the two operations: the stream, and its stored events by the page. */
  operationIds: { follow: string; list: string };
  tag: string;
  /** What the events are of, as in "Follow a task". */
  of: string;
  description: string;
  params: z.ZodObject<{ id: z.ZodType<string> }>;
  event: z.ZodType;
  /** One page of stored events. */
  page: z.ZodType;
  /** When there is nothing more to come, for the API document. Undefined: there may always be more. */
  ended?: string;
  events: {
    read(scope: Scope, id: string, after: number, limit: number): Promise<E[]>;
    follow(scope: Scope, id: string, after: number, signal: AbortSignal): Parameters<typeof toEventStream>[0];
  };
  /** Its id, the number of the last event, and whether no other follows. @throws AlfredError `not_found` */
  find: (scope: Scope, id: string) => Promise<{ id: string; lastSeq: number; isEnded: boolean }>;
};

/** Adds the routes that give numbered events: as a stream, and by the page. */
export function addEventRoutes<E extends Event>(app: Api, openStream: OpenStream, route: EventRoute<E>) {
  const { url, operationIds, tag, of, description, params: Params, event, page, ended, events, find } = route;

  const readPage = async (
    scope: Scope,
    { id, lastSeq }: { id: string; lastSeq: number },
    after: number,
    limit: number,
  ) => {
    const stored = await events.read(scope, id, after, limit);
    const last = stored.at(-1)?.seq ?? after;
    return { events: stored, lastSeq: last, nextCursor: stored.length > 0 && last < lastSeq ? String(last) : null };
  };

  app.route({
    method: 'GET',
    url,
    exposeHeadRoute: false,
    schema: {
      operationId: operationIds.follow,
      tags: [tag],
      summary: `Follow ${of}`,
      description: `${description} The answer is a stream of server-sent events: \`id\` is the sequence number, \`event\` the type, and \`data\` the JSON of the event. With \`Accept: application/json\` it is a page of up to ${pageSize} stored events after \`after\`, as \`${operationIds.list}\` gives them.`,
      params: Params,
      querystring: TaskEventsQuery,
      headers: ResumeHeaders,
      response: {
        200: {
          description: 'The events after the given one. The schema is that of the `data` of each event',
          content: { 'text/event-stream': { schema: event } },
        },
        ...(ended === undefined ? {} : { 204: z.null().describe(ended) }),
        ...problems('not_found', 'invalid_request', 'too_many_streams'),
      },
    },
    handler: async ({ scope, params, query, headers }, reply) => {
      const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
      const found = await find(scope, params.id);
      const { id, lastSeq, isEnded } = found;
      const after = placeOf(headers, query, lastSeq);
      if (media === 'application/json') return reply.type(media).send(await readPage(scope, found, after, pageSize));
      if (isEnded && after === lastSeq) return reply.code(204).send(null);
      return reply.send(openStream(reply, (signal) => events.follow(scope, id, after, signal)));
    },
  });

  app.route({
    method: 'GET',
    url: `${url}/page`,
    schema: {
      operationId: operationIds.list,
      tags: [tag],
      summary: `List the stored events of ${of}`,
      description: `In order, from the first on. To hear of those to come, follow them after \`lastSeq\` of the last page.`,
      params: Params,
      querystring: EventPageQuery,
      response: { 200: json('One page', page), ...problems('not_found', 'invalid_request') },
    },
    handler: async ({ scope, params, query: { cursor, limit } }, reply) =>
      reply.send(await readPage(scope, await find(scope, params.id), Number(cursor ?? 0), limit)),
  });
}
