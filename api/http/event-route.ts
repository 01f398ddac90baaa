import { z } from 'zod';
import { TaskEventsQuery } from '../../contract/events.ts';
import type { Scope } from '../../contract/references.ts';
import type { toEventStream } from './event-stream.ts';
import type { Api } from './fastify.ts';
import { negotiate } from './negotiate.ts';
import { pageSize, placeOf, ResumeHeaders, type OpenStream } from './open-stream.ts';
import { IdParams, problems } from './responses.ts';

type Event = { seq: number; type: string };

type EventRoute<E extends Event> = {
  url: `/v1/${string}/:id/events`;
  operationId: string;
  tag: string;
  summary: string;
  description: string;
  /** One page of stored events: `{ events, lastSeq }`. */
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

/** Adds a route that gives numbered events, as a stream or by the page. */
export function addEventRoute<E extends Event>(app: Api, openStream: OpenStream, route: EventRoute<E>) {
  const { url, operationId, tag, summary, description, page, ended, events, find } = route;
  app.route({
    method: 'GET',
    url,
    exposeHeadRoute: false,
    schema: {
      operationId,
      tags: [tag],
      summary,
      description: `${description} With \`Accept: application/json\` up to ${pageSize} stored events come back at once; ask again with \`after=lastSeq\` of the answer.`,
      params: IdParams,
      querystring: TaskEventsQuery,
      headers: ResumeHeaders,
      response: {
        200: {
          description: 'The events after the given one',
          content: { 'text/event-stream': { schema: z.string() }, 'application/json': { schema: page } },
        },
        ...(ended === undefined ? {} : { 204: z.null().describe(ended) }),
        ...problems(404, 422),
      },
    },
    handler: async ({ scope, params, query, headers }, reply) => {
      const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
      const { id, lastSeq, isEnded } = await find(scope, params.id);
      const after = placeOf(headers, query, lastSeq);
      if (media === 'application/json') {
        const stored = await events.read(scope, id, after, pageSize);
        return reply.type(media).send({ events: stored, lastSeq: stored.at(-1)?.seq ?? after });
      }
      if (isEnded && after === lastSeq) return reply.code(204).send(null);
      return reply.send(openStream(reply, (signal) => events.follow(scope, id, after, signal)));
    },
  });
}
