import type { IncomingMessage } from 'node:http';
import { QdrantRefusal } from './fake-qdrant-filter.ts';
import { createQdrantRoutes, FileResponse, type QdrantState } from './fake-qdrant-routes.ts';
import { FakeSnapshots } from './fake-qdrant-snapshots.ts';
import { fileOf, readOpenApiTypes } from './openapi-types.ts';
import { startWireServer, type Reply } from './wire-server.ts';

const openApi = readOpenApiTypes(fileOf('@qdrant/js-client-rest', '../types/openapi/generated_schema.d.ts'));

type Options = {
  /** Whether the server computes BM25 vectors; servers before 1.15 do not. */
  inference?: boolean;
  key?: string;
  /** The number of nodes; 1: no cluster. */
  nodes?: number;
  /** Called before each request is handled. A `QdrantRefusal` that it throws is the response. */
  before?: (operation: string, body: unknown) => void;
};
/**
 * A server with the part of Qdrant's HTTP API that Alfred uses. Its search is exact; a real server approximates. It
 * checks every request and every response against the types that the client generated from Qdrant's OpenAPI document.
 */
export async function startFakeQdrant(options: Options = {}) {
  const state: QdrantState = {
    collections: new Map(),
    aliases: new Map(),
    snapshots: new FakeSnapshots(),
    hasInference: options.inference ?? true,
    nodes: options.nodes ?? 1,
  };
  const routes = createQdrantRoutes(state);
  const operations: string[] = [];

  const answer = ({ method = '', url = '', headers }: IncomingMessage, text: string): unknown => {
    if (options.key !== undefined && headers['api-key'] !== options.key)
      throw new QdrantRefusal(headers['api-key'] === undefined ? 401 : 403, 'Invalid API key or JWT');
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const [, first, name = '', ...rest] = pathname.split('/');
    const isNamed = first === 'collections' && name !== '' && name !== 'aliases';
    const snapshot = rest[0] === 'snapshots' && rest[1] !== 'upload' ? (rest[1] ?? '') : '';
    const tail = snapshot ? ['snapshots', '{snapshot_name}'] : rest;
    const template = isNamed ? ['/collections/{collection_name}', ...tail].join('/') : pathname;
    const operation = openApi.operation(method, template);
    const route = routes[`${method} ${template}`];
    if (!operation || !route) throw new QdrantRefusal(404, `the fake knows no ${method} ${template}`);
    const contentType = headers['content-type'];
    const isForm = contentType?.startsWith('multipart/') === true;
    const body = text === '' || isForm ? undefined : (JSON.parse(text) as unknown);
    operations.push(operation.name);
    const requestFault = operation.query(Object.fromEntries(searchParams)) ?? operation.request(body);
    if (requestFault !== undefined)
      throw new QdrantRefusal(422, `Format error in JSON body: ${operation.name}: ${requestFault}`);
    options.before?.(operation.name, body);
    const form = { text: isForm ? text : '', contentType };
    const result = route({
      collection: decodeURIComponent(name),
      snapshot: decodeURIComponent(snapshot),
      body,
      query: searchParams,
      form,
    });
    if (result instanceof FileResponse) return result;
    const response = { result, status: 'ok', time: 0.001 };
    const fault = operation.response(response);
    if (fault !== undefined) throw new QdrantRefusal(500, `the fake would answer what Qdrant never does: ${fault}`);
    return response;
  };

  const server = await startWireServer((request, text): Reply => {
    try {
      const response = answer(request, text);
      if (!(response instanceof FileResponse)) return { status: 200, json: response };
      const headers = { 'content-type': 'application/octet-stream' };
      return { frames: [response.text], wire: { headers, chunkBytes: 10_000 } };
    } catch (error) {
      if (!(error instanceof QdrantRefusal)) throw error;
      return { status: error.status, json: { status: { error: error.message }, time: 0 } };
    }
  });
  const { collections, aliases, snapshots } = state;
  return { url: server.url, close: server.close, collections, aliases, snapshots, operations };
}
