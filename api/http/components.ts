import type { SwaggerTransformObject } from '@fastify/swagger';
import { parameterExamples } from './examples/shared.ts';
import { examplesOf } from './examples/index.ts';
import { problemResponses } from './problem-docs.ts';
import { namedSchemas } from './schemas.ts';
import { webhooks } from './webhooks.ts';

type Json = Record<string, unknown>;
type Header = { required?: boolean; schema: Json; description?: string };
type Response = { description: string; headers?: Record<string, Header | Json>; content?: Record<string, Json> };
type Parameter = { name: string; in: string; schema: Json; description?: string; example?: unknown };
type Operation = {
  operationId: string;
  'x-optional-body'?: boolean;
  parameters?: (Parameter | Json)[];
  requestBody?: { required: boolean; content: Record<string, Json> };
  responses: Record<string, Response | Json>;
};
type Components = { parameters: Json; headers: Json; responses: Json };

/** Headers that many responses have, by their name among the components. */
const sharedHeaders: Record<string, string> = {
  'x-request-id': 'RequestId',
  'Retry-After': 'RetryAfter',
  RateLimit: 'RateLimit',
  'RateLimit-Policy': 'RateLimitPolicy',
  'Preference-Applied': 'PreferenceApplied',
};

/**
 * Adds what the generator cannot express: named schemas, examples, optional bodies, and components for what operations
 * have in common.
 */
export const transformObject: SwaggerTransformObject = (document) => {
  const object = 'openapiObject' in document ? document.openapiObject : undefined;
  if (!object) throw new Error('expected an OpenAPI document');
  const components: Components = { parameters: {}, headers: {}, responses: {} };
  for (const path of Object.values(object.paths ?? {}))
    for (const operation of Object.values(path as unknown as Record<string, Operation>))
      complete(operation, components);
  return {
    ...object,
    webhooks: webhooks(),
    components: {
      ...object.components,
      schemas: namedSchemas(),
      ...Object.fromEntries(Object.entries(components).map(([kind, named]) => [kind, sorted(named)])),
    },
  } as unknown as ReturnType<SwaggerTransformObject>;
};

function complete(operation: Operation, components: Components): void {
  if (operation['x-optional-body'] && operation.requestBody) operation.requestBody.required = false;
  delete operation['x-optional-body'];
  const examples = examplesOf(operation.operationId);
  for (const [media, body] of Object.entries(operation.requestBody?.content ?? {}))
    if (examples.body?.[media] !== undefined) body['example'] = examples.body[media];
  if (operation.parameters)
    operation.parameters = (operation.parameters as Parameter[]).map((parameter) =>
      shareParameter(parameter, examples.parameters, components),
    );
  for (const [status, response] of Object.entries(operation.responses as Record<string, Response>)) {
    for (const [media, content] of Object.entries(response.content ?? {})) {
      const example = examples.responses?.[status]?.[media];
      if (example !== undefined) content['example'] = example;
    }
    if (response.headers) response.headers = shareHeaders(response.headers as Record<string, Header>, components);
    operation.responses[status] = shareProblem(status, response, components);
  }
}

/**
 * Gives a parameter its example, and replaces one that has a name by a reference to it.
 *
 * @param examples those of the operation, by the names of parameters that are not shared
 * @throws when two parameters have one name
 */
function shareParameter(
  { schema: { 'x-parameter': name, ...schema }, ...rest }: Parameter,
  examples: Json | undefined,
  components: Components,
): Parameter | Json {
  const example = typeof name === 'string' ? parameterExamples[name] : examples?.[rest.name];
  const parameter = { ...rest, ...(example === undefined ? {} : { example }), schema };
  if (typeof name !== 'string') return parameter;
  const known = components.parameters[name] ?? parameter;
  components.parameters[name] = known;
  if (JSON.stringify(known) !== JSON.stringify(parameter))
    throw new Error(`two parameters are called ${name}: ${JSON.stringify([known, parameter])}`);
  return { $ref: `#/components/parameters/${name}` };
}

/** Replaces headers that many responses have by references. */
function shareHeaders(headers: Record<string, Header>, components: Components): Record<string, Json> {
  const shared: Record<string, Json> = {};
  for (const [name, header] of Object.entries(headers)) {
    // The generator leaves `required` in the schema, where it has another meaning.
    const { required, ...schema } = header.schema;
    const whole = { ...header, ...(required === true ? { required: true } : {}), schema };
    const component = sharedHeaders[name];
    if (component !== undefined) components.headers[component] ??= whole;
    shared[name] = component === undefined ? whole : { $ref: `#/components/headers/${component}` };
  }
  return shared;
}

/** Replaces a problem by a reference that keeps the operation's own words: which codes it has. */
function shareProblem(status: string, response: Response, components: Components): Response | Json {
  const shared = problemResponses[Number(status)];
  if (!shared || !response.content?.['application/problem+json']) return response;
  components.responses[shared.name] ??= { ...response, description: shared.description };
  return { $ref: `#/components/responses/${shared.name}`, description: response.description };
}

const sorted = (named: Json) => Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)));
