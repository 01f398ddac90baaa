import { Readable } from 'node:stream';
import { z } from 'zod';
import { ArtifactList } from '../../contract/artifacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import { attachment } from '../../contract/rules/attachment.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { TaskParams, json, problems } from '../http/responses.ts';
import { findReadableTask } from '../find-task.ts';
import { isOther, readShared } from '../read-shared.ts';

/** A stream is sent. Fastify would have it a text by its schema. */
const Bytes: z.ZodType<Readable | string> = z.string().meta({ format: 'binary' });

type Deps = Pick<ApiDeps, 'artifacts' | 'control' | 'conversationRows' | 'shares'>;

const ArtifactParams = TaskParams.extend({
  artifactId: z.uuid().meta({ 'x-parameter': 'ArtifactId', description: 'The id of the file' }),
});

export const taskArtifactRoutes =
  ({ artifacts, control, conversationRows, shares }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/artifacts',
      schema: {
        operationId: 'listArtifacts',
        tags: ['tasks'],
        summary: 'List the files that a task has made',
        description:
          'With those of the tasks that it has delegated. A file is listed as soon as its tool call has ended, also while the task runs.',
        params: TaskParams,
        response: { 200: json('The files', ArtifactList), ...problems('not_found') },
      },
      handler: async (request, reply) => {
        const { scope, params } = request;
        const { row, owner } = await findReadableTask({ control, conversationRows, shares }, scope, params.id);
        if (isOther(scope, owner)) request.readOfOther = { type: 'task', id: row.id };
        return reply.send({ artifacts: await artifacts.list(owner, row.id) });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/artifacts/:artifactId',
      schema: {
        operationId: 'readArtifact',
        tags: ['tasks'],
        summary: 'Download a file that a task has made',
        description:
          'The bytes of the file, as an attachment: a browser saves it and shows nothing of it. `ETag` is its SHA-256.',
        params: ArtifactParams,
        response: {
          200: {
            description: 'The file, with its own media type',
            headers: {
              'Content-Disposition': { type: 'string', required: true, description: 'Names the file (RFC 6266)' },
              'Content-Length': { type: 'integer', required: true, description: 'Its size in bytes' },
              ETag: { type: 'string', required: true, description: 'Its SHA-256, in hex and in quotes' },
            },
            content: { '*/*': { schema: Bytes } },
          },
          ...problems('not_found'),
        },
      },
      handler: async (request, reply) => {
        const { scope, params } = request;
        const { id, artifactId } = params;
        const found = await readShared(shares, scope, { taskId: id }, (owner) => artifacts.open(owner, id, artifactId));
        if (!found) throw new AlfredError('not_found', `The task ${id} has no file ${artifactId}.`);
        if (isOther(scope, found.owner)) request.readOfOther = { type: 'task', id };
        const { artifact, content } = found.row;
        void reply.headers({
          'content-type': artifact.mediaType,
          'content-disposition': attachment(artifact.name),
          'content-length': artifact.bytes,
          'x-content-type-options': 'nosniff',
          etag: `"${artifact.sha256}"`,
        });
        return reply.send(Readable.from(content, { objectMode: false }));
      },
    });
  };
