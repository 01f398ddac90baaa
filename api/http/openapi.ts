import type { SwaggerTransform, SwaggerTransformObject } from '@fastify/swagger';
import { z } from 'zod';
import { version } from '../../runtime/version.ts';
import type { ResponseDoc } from './responses.ts';
import { jsonSchemaOf, namedSchemas } from './schemas.ts';

export const openapi = {
  openapi: '3.1.0' as const,
  info: {
    title: 'Alfred',
    version,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description:
      'Durable AI agents. Create a task, follow its events, read its result. Errors are RFC 9457 problem documents with a stable `code`; every answer carries `x-request-id`.',
  },
  servers: [{ url: '/', description: 'This server' }],
  // Without an identity provider, requests without a credential come from the user of this machine.
  security: [{}, { bearer: [] }],
  components: {
    securitySchemes: {
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        description: 'An access token of the identity provider, or an API key',
      },
    },
  },
  tags: [
    { name: 'tasks', description: 'One agent, one question, until it answers' },
    { name: 'approvals', description: 'Calls that wait for a person' },
    { name: 'schedules', description: 'Something asked again and again' },
    { name: 'conversations', description: 'Threads of messages, each answered by a task' },
    { name: 'documents', description: 'What agents answer from' },
    { name: 'agents', description: 'Who can be asked' },
    { name: 'usage', description: 'What it cost' },
    { name: 'identity', description: 'Who you are, and keys for services' },
    { name: 'operations', description: 'For probes, scrapers and tools' },
  ],
};

const requestIdHeader = {
  'x-request-id': {
    type: 'string',
    required: true,
    description: 'Yours when it was well-formed, else ours; in the log too',
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

type Operation = {
  'x-optional-body'?: boolean;
  requestBody?: { required: boolean };
  responses: Record<string, { headers?: Record<string, { required?: boolean; schema: Record<string, unknown> }> }>;
};

/** Adds the named schemas, and what the generator cannot express: optional bodies and headers of every response. */
export const transformObject: SwaggerTransformObject = (document) => {
  const object = 'openapiObject' in document ? document.openapiObject : undefined;
  if (!object) throw new Error('expected an OpenAPI document');
  const operations = Object.values(object.paths ?? {}).flatMap((path) =>
    Object.values(path as Record<string, Operation>),
  );
  for (const operation of operations) {
    if (operation['x-optional-body'] && operation.requestBody) operation.requestBody.required = false;
    delete operation['x-optional-body'];
    for (const header of Object.values(operation.responses).flatMap(({ headers = {} }) => Object.values(headers))) {
      if (header.schema['required'] === true) header.required = true;
      delete header.schema['required'];
    }
  }
  return {
    ...object,
    components: { ...object.components, schemas: namedSchemas() },
  } as ReturnType<SwaggerTransformObject>;
};

const mapValues = <T, R>(record: Record<string, T>, map: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
