import type { SwaggerTransform } from '@fastify/swagger';
import { z } from 'zod';
import { version } from '../../runtime/version.ts';
import type { ResponseDoc } from './problem-docs.ts';
import { jsonSchemaOf } from './schemas.ts';
import { security, securitySchemes } from './security.ts';

export const openapi = {
  openapi: '3.1.0' as const,
  info: {
    title: 'Alfred API',
    version,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description:
      'Ask durable AI agents over HTTP: create a task, follow its events, read its result.\n\nEvery error is a problem document (RFC 9457, schema `Problem`). Its `code` is stable; the schema `ErrorCode` says what each means and whether to repeat the request. Every answer carries `x-request-id`. A list takes `limit` and `cursor`, and its `nextCursor` leads to the next page.',
  },
  servers: [{ url: '/', description: 'This server' }],
  security,
  components: { securitySchemes },
  tags: [
    { name: 'tasks', description: 'Ask an agent a question, and follow it until it answers' },
    { name: 'approvals', description: 'Decide about tool calls that wait for a person' },
    { name: 'schedules', description: 'Ask a question at set times' },
    { name: 'conversations', description: 'Ask one question after another, in one thread' },
    { name: 'documents', description: 'Add, search and delete what agents answer from' },
    { name: 'agents', description: 'List the agents and what they take' },
    { name: 'memories', description: 'What Alfred remembers for you and your groups' },
    { name: 'contacts', description: 'Add, merge, search and delete contacts of your tenant' },
    { name: 'usage', description: 'Read what model calls cost' },
    { name: 'identity', description: 'Read who you are, and manage API keys of services' },
    { name: 'audit', description: 'Read who did what' },
    { name: 'operations', description: 'Probes, metrics and this document' },
  ],
};

const requestIdHeader = {
  'x-request-id': {
    type: 'string',
    required: true,
    description: 'The `x-request-id` of the request when it was well-formed, else a new one. It stands in the log',
  },
};

type RouteSchema = {
  body?: z.ZodType;
  bodies?: Record<string, z.ZodType | object>;
  params?: z.ZodType;
  querystring?: z.ZodType;
  headers?: z.ZodType;
  response?: Record<string, ResponseDoc | z.ZodType>;
  hide?: boolean;
};

/** Converts a route's zod schemas to JSON Schema, the schema language of OpenAPI 3.1. */
export const transform: SwaggerTransform = ({ schema, url }) => {
  if (!schema || schema.hide) return { schema: { hide: true }, url };
  const { body, bodies, params, querystring, headers, response, ...rest } = schema as RouteSchema;
  const input = (given: z.ZodType | undefined, name: string) => (given ? { [name]: jsonSchemaOf(given, 'input') } : {});
  return {
    url,
    schema: {
      ...rest,
      ...input(body, 'body'),
      ...input(params, 'params'),
      ...input(querystring, 'querystring'),
      ...input(headers, 'headers'),
      ...(bodies ? { body: { content: mapValues(bodies, (form) => ({ schema: bodySchema(form) })) } } : {}),
      response: mapValues(response ?? {}, responseSchema),
    },
  };
};

const bodySchema = (form: z.ZodType | object) => (form instanceof z.ZodType ? jsonSchemaOf(form, 'input') : form);

function responseSchema(response: ResponseDoc | z.ZodType): object {
  if (response instanceof z.ZodType)
    return { type: 'null', description: response.description, headers: requestIdHeader };
  return {
    description: response.description,
    headers: { ...requestIdHeader, ...response.headers },
    content: mapValues(response.content, ({ schema }) => ({ schema: jsonSchemaOf(schema, 'output') })),
  };
}

const mapValues = <T, R>(record: Record<string, T>, map: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
