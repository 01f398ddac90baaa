import { endedIngestion } from './examples/documents.ts';
import { ids } from './examples/shared.ts';
import { completedTask } from './examples/tasks.ts';

type Webhook = { operationId: string; tag: string; summary: string; schema: string; example: object };

/** What Alfred sends to the `callback` of a task or upload: `webhooks` of the OpenAPI document. */
export function webhooks() {
  const { links: _ofTask, ...task } = completedTask;
  const { links: _ofIngestion, ...ingestion } = endedIngestion;
  return {
    taskEnded: webhook({
      operationId: 'taskEnded',
      tag: 'tasks',
      summary: 'A task has ended: what its `callback` gets',
      schema: 'TaskReport',
      example: { type: 'task.completed', timestamp: task.endedAt, data: task },
    }),
    ingestionEnded: webhook({
      operationId: 'ingestionEnded',
      tag: 'documents',
      summary: 'An upload has ended: what its `callback` gets',
      schema: 'IngestionReport',
      example: { type: 'ingestion.completed', timestamp: ingestion.endedAt, data: ingestion },
    }),
  };
}

const header = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  example,
  schema: { type: 'string' },
});

const signature = [
  header('webhook-id', 'The same for every attempt of one delivery: a call may arrive twice', `${ids.task}.1`),
  header('webhook-timestamp', 'Seconds since 1970. Refuse one that is more than five minutes off', '1795968000'),
  header(
    'webhook-signature',
    '`v1,` and the HMAC-SHA256 of id, timestamp and body, joined by dots, in base64',
    'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  ),
];

const webhook = ({ operationId, tag, summary, schema, example }: Webhook) => ({
  post: {
    operationId,
    tags: [tag],
    summary,
    description:
      'Signed with the secret of the callback, as Standard Webhooks says. Verify the body as it came, before it is parsed. Without a 2xx within 15 seconds Alfred sends it again, for a day; `Retry-After` of the answer sets the next attempt.',
    // The signature takes the place of a sign-in.
    security: [],
    parameters: signature,
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, example } },
    },
    responses: {
      '2XX': { description: 'It was taken' },
      '410': { description: 'It is not wanted: Alfred sends it no more' },
    },
  },
});
