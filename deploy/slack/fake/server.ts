import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isRecord, parseJson } from '../../../contract/json.ts';
import type { Faults } from './faults.ts';
import { mayReadFile } from './methods/files.ts';
import { respond } from './response-urls.ts';
import type { State } from './state.ts';
import { type FileDownload, SlackError } from './types.ts';
import { readBody, type WebApi } from './web-api.ts';

type Handler = (match: string[], request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

const token = (request: IncomingMessage): string =>
  /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';

/** Without the right to a file Slack answers 200 with its sign-in page, so an app must check the content type. */
const signInPage =
  '<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to Slack</body></html>';

/** The content of a multipart form's first file, or the body as it is. */
async function uploadedContent(body: Buffer, contentType: string): Promise<Buffer> {
  if (!contentType.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  const file = [...form.values()].find((value) => typeof value !== 'string');
  return file === undefined ? body : Buffer.from(await file.arrayBuffer());
}

export function createHttpServer({
  state,
  webApi,
  faults,
  downloads,
}: {
  state: State;
  webApi: WebApi;
  faults: Pick<Faults, 'takeDownload' | 'takeUpload'>;
  downloads: FileDownload[];
}): Server {
  const download: Handler = async ([, team, id], request, response) => {
    const fault = await faults.takeDownload();
    if (fault) {
      downloads.push({ file: id ?? '', outcome: `http_${fault.status}` });
      response.writeHead(fault.status, fault.location === undefined ? {} : { location: fault.location }).end();
      return;
    }
    const file = state.files.get(id ?? '');
    const workspace = [...state.workspaces.values()].find(({ botToken }) => botToken === token(request));
    const allowed =
      file?.complete &&
      file.team === team &&
      workspace?.installed &&
      workspace.scopes.has('files:read') &&
      mayReadFile(state, file, workspace);
    downloads.push({ file: id ?? '', outcome: allowed ? 'ok' : 'sign_in' });
    if (!allowed) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(signInPage);
      return;
    }
    response.writeHead(200, { 'content-type': file.mimetype, 'content-length': file.content.length }).end(file.content);
  };

  const upload: Handler = async ([, id], request, response) => {
    const file = state.files.get(id ?? '');
    const content = await uploadedContent(await readBody(request), request.headers['content-type'] ?? '');
    const fault = faults.takeUpload();
    if (fault !== undefined) return void response.writeHead(fault).end();
    if (!file || file.complete) return void response.writeHead(404).end();
    if (content.length !== file.announcedBytes) return void response.writeHead(400).end('wrong length');
    file.content = content;
    response.writeHead(200).end(`OK - ${file.content.length}`);
  };

  const answer: Handler = async ([, id], request, response) => {
    const value = parseJson((await readBody(request)).toString('utf8'));
    try {
      respond(state, id ?? '', isRecord(value) ? value : {});
      response.writeHead(200).end('ok');
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ok: false, error: error.code, ...error.details }));
    }
  };

  /** Slack's page that asks for consent: here the person always agrees. `team` picks the workspace. */
  const consent: Handler = (_match, _request, response, url) => {
    const team = url.searchParams.get('team') ?? [...state.workspaces.keys()].at(-1) ?? '';
    const code = state.nextId('code');
    state.oauthCodes.set(code, team);
    const target = new URL(url.searchParams.get('redirect_uri') ?? 'http://localhost/');
    target.searchParams.set('code', code);
    target.searchParams.set('state', url.searchParams.get('state') ?? '');
    response.writeHead(302, { location: target.href }).end();
  };

  const routes: [RegExp, Handler][] = [
    [/^\/api\/([\w.]+)$/, ([, method], request, response) => webApi.handle(method ?? '', request, response)],
    [/^\/files-pri\/(T\w+)-(F\w+)\//, download],
    [/^\/upload\/v1\/(F\w+)$/, upload],
    [/^\/response\/(\w+)$/, answer],
    [/^\/oauth\/v2\/authorize$/, consent],
  ];

  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const run = async () => {
      for (const [pattern, handler] of routes) {
        const match = pattern.exec(url.pathname);
        if (match) return handler([...match], request, response, url);
      }
      return void response.writeHead(404).end();
    };
    run().catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(error instanceof Error ? error.message : 'error');
    });
  });
}
