import { IngestionEvent, IngestionEventPage } from '../../contract/ingestion-events.ts';
import type { ApiDeps } from '../deps.ts';
import { addEventRoutes } from '../http/event-route.ts';
import type { Api } from '../http/fastify.ts';
import type { OpenStream } from '../http/open-stream.ts';
import { IngestionParams } from '../http/responses.ts';
import { noIngestion } from './ingestions.ts';

type Deps = Pick<ApiDeps, 'control' | 'ingestionEvents'> & { openStream: OpenStream };

export const ingestionEventRoutes =
  ({ control, ingestionEvents, openStream }: Deps) =>
  async (app: Api) =>
    addEventRoutes(app, openStream, {
      url: '/v1/ingestions/:id/events',
      operationIds: { follow: 'followIngestion', list: 'listIngestionEvents' },
      tag: 'documents',
      of: 'an upload',
      description: 'One event for each file that was read or refused, and one for the end.',
      params: IngestionParams,
      event: IngestionEvent,
      page: IngestionEventPage,
      ended: 'The upload has ended and the last event was the given one: do not reconnect',
      events: ingestionEvents,
      async find(scope, id) {
        // Reads the row first: an upload whose workflow is gone ends here.
        const row = await control.ingestions.read(scope, id);
        const lastSeq = row && (await ingestionEvents.lastSeq(scope, id));
        if (!row || lastSeq === undefined) throw noIngestion(id);
        return { id: row.id, lastSeq, isEnded: row.status !== 'running' };
      },
    });
