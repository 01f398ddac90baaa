import type { AnyJson, JsonObject } from './checked-client.ts';
import { resolve } from './checked-client.ts';

/** The example request of an operation, as the document has it. */
export type ExampleRequest = {
  operationId: string;
  method: string;
  /** The address with placeholders, as in the document. */
  template: string;
  /** Examples of the parameters, by name, and the component name of the id in the address. */
  values: Record<string, AnyJson>;
  idName: string | undefined;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: AnyJson;
  isStream: boolean;
};

/** Reads the example request of every operation from the document, by the operation's name. */
export function readExampleRequests(document: JsonObject): Map<string, ExampleRequest> {
  return new Map(
    Object.entries<JsonObject>(document['paths']).flatMap(([template, item]) =>
      Object.entries<JsonObject>(item).map(([method, operation]) => {
        const request = readExample(document, template, method, operation);
        return [request.operationId, request] as const;
      }),
    ),
  );
}

function readExample(document: JsonObject, template: string, method: string, operation: JsonObject): ExampleRequest {
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  const values: Record<string, AnyJson> = {};
  let idName: string | undefined;
  for (const reference of (operation['parameters'] ?? []) as JsonObject[]) {
    const parameter = resolve(document, reference);
    if (parameter.in === 'path')
      idName =
        String(reference['$ref'] ?? '')
          .split('/')
          .at(-1) || undefined;
    if (parameter.example === undefined) continue;
    values[parameter.name] = parameter.example;
    if (parameter.in === 'header') headers[parameter.name] = String(parameter.example);
    if (parameter.in === 'query')
      for (const one of [parameter.example].flat()) query.append(parameter.name, String(one));
  }
  return {
    operationId: operation['operationId'],
    method: method.toUpperCase(),
    template,
    values,
    idName,
    query,
    headers,
    body: operation['requestBody']?.content['application/json'].example,
    isStream: operation['responses']['200']?.content?.['text/event-stream'] !== undefined,
  };
}

/** Sends an example. @param id takes the place of the id in the example */
export async function sendExample(
  http: { request: (path: string, init: RequestInit) => Promise<{ status: number; body: AnyJson }> },
  { method, template, values, query, headers, body }: ExampleRequest,
  id: string | undefined,
) {
  const path = template.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(id ?? String(values[name])));
  return http.request(query.size > 0 ? `${path}?${query.toString()}` : path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Reads an open stream up to its first event. */
export async function readFirstEvent(url: string): Promise<{ status: number; text: string }> {
  const leave = new AbortController();
  const response = await fetch(url, { signal: leave.signal });
  let text = '';
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString();
    if (text.includes('\ndata: ')) break;
  }
  leave.abort();
  return { status: response.status, text };
}
