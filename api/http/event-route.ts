import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { EventPageQuery, TaskEventsQuery } from '../../contract/events.ts';
import type { Principal } from '../../contract/principal.ts';
import type { Scope } from '../../contract/references.ts';
import type { Api } from './fastify.ts';
import { isOther } from '../read-shared.ts';
import { negotiate } from './negotiate.ts';
import { pageSize, placeOf, ResumeHeaders, type OpenStream } from './open-stream.ts';
import { json, problems } from './responses.ts';

type Event = { seq: number; type: string };

/** `owner`: whose it is; absent: the reader's own. */
type Found = { id: string; owner?: Scope; lastSeq: number; isEnded: boolean };

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
    follow(scope: Scope, id: string, after: number, signal: AbortSignal): AsyncIterable<E[]>;
  };
  /** Its id, the number of the last event, and whether no other follows. @throws AlfredError `not_found` */
  find: (principal: Principal, id: string) => Promise<Found>;
  /** Leaves out what a reader may not read of the events of another. Absent: nothing is shared. */
  forReader?: (reader: Scope, stored: E[]) => Promise<E[]>;
  /** Whether what another has shared with the scope still is. Absent: nothing is shared. */
  isStillShared?: (scope: Scope, id: string) => Promise<boolean>;
};

/** Adds the routes that give numbered events: as a stream, and by the page. */
export function addEventRoutes<E extends Event>(app: Api, openStream: OpenStream, route: EventRoute<E>) {
  const {
    url,
    operationIds,
    tag,
    of,
    description,
    params: Params,
    event,
    page,
    ended,
    events,
    find,
    forReader = (_reader: Scope, stored: E[]) => Promise.resolve(stored),
    isStillShared,
  } = route;

  /** @returns the batches as the reader may see them */
  async function* followFor(reader: Scope, batches: AsyncIterable<E[]>) {
    for await (const batch of batches) yield await forReader(reader, batch);
  }

  const findFor = async (request: FastifyRequest, id: string): Promise<Found> => {
    const found = await find(request.scope, id);
    if (found.owner && isOther(request.scope, found.owner))
      request.readOfOther = { type: tag === 'conversations' ? 'conversation' : 'task', id };
    return found;
  };

  const readPage = async (scope: Scope, { id, owner, lastSeq }: Found, after: number, limit: number) => {
    const stored = await events.read(owner ?? scope, id, after, limit);
    const shown = owner && isOther(scope, owner) ? await forReader(scope, stored) : stored;
    const last = stored.at(-1)?.seq ?? after;
    return { events: shown, lastSeq: last, nextCursor: stored.length > 0 && last < lastSeq ? String(last) : null };
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
    handler: async (request, reply) => {
      const { scope, params, query, headers } = request;
      const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
      const found = await findFor(request, params.id);
      const { id, owner = scope, lastSeq, isEnded } = found;
      const after = placeOf(headers, query, lastSeq);
      if (media === 'application/json') return reply.type(media).send(await readPage(scope, found, after, pageSize));
      if (isEnded && after === lastSeq) return reply.code(204).send(null);
      const isOfOther = isOther(scope, owner);
      const follow = (signal: AbortSignal) => {
        const batches = events.follow(owner, id, after, signal);
        return isOfOther ? followFor(scope, batches) : batches;
      };
      return reply.send(openStream(reply, follow, isOfOther ? () => isStillShared?.(scope, id) : undefined));
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
    handler: async (request, reply) => {
      const { scope, params, query } = request;
      const found = await findFor(request, params.id);
      return reply.send(await readPage(scope, found, Number(query.cursor ?? 0), query.limit));
    },
  });
}
