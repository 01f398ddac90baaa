import multipart from '@fastify/multipart';
import { fastify } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { AlfredError } from '../contract/errors.ts';
import type { Scope } from '../contract/references.ts';
import { ruleOf } from '../contract/rules/operations.ts';
import { createLineBudget } from '../runtime/line-budget.ts';
import { negotiate } from './http/negotiate.ts';
import type { ApiDeps } from './deps.ts';
import { registerDocsPage, registerOpenApi } from './http/docs.ts';
import type { Api } from './http/fastify.ts';
import { auditRequests } from './http/audit.ts';
import { refuseManyHeaders, refuseStrangers } from './http/guard.ts';
import { secure, share } from './http/headers.ts';
import { checkRights, identityOf } from './http/identity.ts';
import { createDoorLimits } from './http/limits.ts';
import { createViews } from './links.ts';
import { checkTenant } from './http/tenant.ts';
import { observe, requestIdOf } from './http/observe.ts';
import { createStreamOpener } from './http/open-stream.ts';
import { createErrorHandler } from './http/problems.ts';
import { answerBrokenRequests } from './http/broken-requests.ts';
import { a2aRoutes } from './routes/a2a.ts';
import { agentRoutes } from './routes/agents.ts';
import { agentSettingsRoutes } from './routes/agent-settings.ts';
import { auditRoutes } from './routes/audit.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { cancelTaskRoutes } from './routes/cancel-task.ts';
import { collectionRoutes } from './routes/collections.ts';
import { contactIngestRoutes } from './routes/contact-ingests.ts';
import { contactRoutes } from './routes/contacts.ts';
import { controlScheduleRoutes } from './routes/control-schedule.ts';
import { controlSourceRoutes } from './routes/control-source.ts';
import { deleteConversationRoutes } from './routes/delete-conversation.ts';
import { deleteTaskRoutes } from './routes/delete-task.ts';
import { documentRoutes } from './routes/documents.ts';
import { documentTextRoutes } from './routes/document-text.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { controlApiKeyRoutes } from './routes/control-api-key.ts';
import { ingestionCallbackRoutes } from './routes/ingestion-callback.ts';
import { ingestionEventRoutes } from './routes/ingestion-events.ts';
import { ingestionRoutes } from './routes/ingestions.ts';
import { ingestContactRoutes } from './routes/ingest-contacts.ts';
import { mcpRoutes } from './routes/mcp.ts';
import { memoryRoutes } from './routes/memories.ts';
import { meRoutes } from './routes/me.ts';
import { readerRoutes } from './routes/readers.ts';
import { rejectedContactRoutes } from './routes/rejected-contacts.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { conversationEventRoutes } from './routes/conversation-events.ts';
import { conversationMessageRoutes } from './routes/conversation-messages.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { sourceRoutes } from './routes/sources.ts';
import { stopConversationRoutes } from './routes/stop-conversation.ts';
import { systemRoutes } from './routes/system.ts';
import { undoTaskRoutes } from './routes/undo-task.ts';
import { taskArtifactRoutes } from './routes/task-artifacts.ts';
import { taskBudgetRoutes } from './routes/task-budget.ts';
import { taskCitationRoutes } from './routes/task-citations.ts';
import { taskPushConfigRoutes } from './routes/task-push-config.ts';
import { taskCallbackRoutes } from './routes/task-callback.ts';
import { taskEventRoutes } from './routes/task-events.ts';
import { taskRoutes } from './routes/tasks.ts';
import { usageRoutes } from './routes/usage.ts';
import { refuseOddNumbers } from './http/query-numbers.ts';
import { refuseDeep, refuseUnstorable } from './http/storable.ts';
import { refuseUnexpectedBody } from './http/unexpected-body.ts';
import { answerUnknownRoutes } from './http/unknown-routes.ts';
import { bytesOf } from './http/upload.ts';
import { validatorCompiler } from './http/validate.ts';

/** The largest body that is not an upload, in bytes. */
const bodyLimit = 1_048_576;
/** The most files in one upload. */
const maxFiles = 10_000;

/** The address and headers of a request, in bytes. */
const maxHeaderSize = 16_384;
/** How long a request may take to arrive, in milliseconds. Node looks every `checkMs` for those that are late. */
const defaultArrival = { headersMs: 20_000, requestMs: 300_000, checkMs: 5_000 };

const allRoutes = [
  taskRoutes,
  taskEventRoutes,
  cancelTaskRoutes,
  undoTaskRoutes,
  taskBudgetRoutes,
  taskCitationRoutes,
  taskArtifactRoutes,
  deleteTaskRoutes,
  taskCallbackRoutes,
  taskPushConfigRoutes,
  readerRoutes,
  approvalRoutes,
  scheduleRoutes,
  controlScheduleRoutes,
  conversationRoutes,
  deleteConversationRoutes,
  conversationMessageRoutes,
  conversationEventRoutes,
  stopConversationRoutes,
  collectionRoutes,
  documentRoutes,
  documentTextRoutes,
  ingestionRoutes,
  ingestionEventRoutes,
  ingestionCallbackRoutes,
  sourceRoutes,
  controlSourceRoutes,
  agentRoutes,
  agentSettingsRoutes,
  apiKeyRoutes,
  auditRoutes,
  controlApiKeyRoutes,
  contactRoutes,
  contactIngestRoutes,
  rejectedContactRoutes,
  ingestContactRoutes,
  mcpRoutes,
  memoryRoutes,
  meRoutes,
  usageRoutes,
  systemRoutes,
  signInRoutes,
  a2aRoutes,
];

/** Builds the HTTP API. Nothing runs until the API listens or a request is injected. */
export async function createApi(deps: ApiDeps): Promise<Api> {
  const { config, log, readiness } = deps;
  const maxUpload = bytesOf(config.ALFRED_MAX_UPLOAD_MB);
  const handleError = createErrorHandler(log);
  const limits = createDoorLimits(deps);
  const app = createServer(deps, handleError);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  app.removeContentTypeParser('text/plain');

  const stopping = new AbortController();
  app.addHook('preClose', async () => stopping.abort());
  // A response that started before the shutdown announced keep-alive; without this the server would wait for that
  // connection.
  app.addHook('onResponse', async (request) => {
    if (stopping.signal.aborted) request.raw.socket.end();
  });
  // Set before any route of /v1 runs.
  app.decorateRequest('scope', null as never);
  app.decorateRequest('signIn', null as never);

  watchRequests(app, deps);
  app.addHook('onRequest', async (request, reply) => {
    secure(request, reply, config.ALFRED_HSTS_S);
    const isPreflight = share(request, reply, config.ALFRED_CORS_ORIGINS);
    refuseManyHeaders(request);
    // The router also takes addresses that spell a letter as %76: what counts is the route that it found.
    const path = request.routeOptions.url ?? request.url;
    if (!config.ALFRED_SKIP_HOST_CHECKS)
      refuseStrangers(request, config.ALFRED_API_HOSTS, isProbe(path), config.ALFRED_CORS_ORIGINS);
    if (!isProbe(path)) limits.admitAddress(request, reply);
    if (isPreflight) return reply.code(204).send();
    if (!path.startsWith('/v1/') && path !== '/mcp') return;
    request.signIn = await identityOf(request, deps.identify);
    request.scope = request.signIn.principal;
    await limits.admitPrincipal(request, reply);
    // Before the tenant: those without the right learn nothing about it.
    checkRights(request);
    await checkTenant(request, deps);
    if (readiness.isDraining()) throw new AlfredError('draining');
    if (!choosesMediaType(path)) negotiate(request.headers.accept, ['application/json']);
  });
  refuseUnusable(app);
  answerUnknownRoutes(app);
  requireRules(app);
  await takeUploads(app, maxUpload);
  await registerOpenApi(app);

  const shared = {
    ...deps,
    openStream: createStreamOpener({ ...deps, limits, draining: stopping.signal }),
    takeStream: (scope: Scope) => limits.openStream(scope),
    views: createViews(config),
    draining: stopping.signal,
  };
  for (const routes of allRoutes) await app.register(routes(shared));
  await registerDocsPage(app, { hasSignIn: deps.browserSignIn !== undefined });
  await app.ready();
  return app;
}

/** Logs, measures and audits requests. */
function watchRequests(app: Api, deps: ApiDeps): void {
  observe(app, deps);
  auditRequests(app, deps);
}

/** Opens the HTTP server, with limits on what arrives and how fast. */
function createServer(deps: ApiDeps, handleError: ReturnType<typeof createErrorHandler>): Api {
  const { config, log } = deps;
  const { headersMs, requestMs, checkMs } = deps.arrival ?? defaultArrival;
  const proxies = config.ALFRED_TRUSTED_PROXIES;
  const lines = createLineBudget();
  const app: Api = fastify({
    logger: false,
    http: { maxHeaderSize, headersTimeout: headersMs, connectionsCheckingInterval: checkMs },
    requestTimeout: requestMs,
    // Else anybody could name an address in X-Forwarded-For.
    trustProxy: proxies.length > 0 ? proxies : false,
    genReqId: requestIdOf,
    bodyLimit: Math.min(bodyLimit, bytesOf(config.ALFRED_MAX_UPLOAD_MB)),
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      // No hook runs for addresses that the router cannot parse.
      void reply.header('x-request-id', request.id);
      secure(request, reply, config.ALFRED_HSTS_S);
      if (lines.take().isWithin)
        log.info({ method: request.method, code: error.code, requestId: request.id }, 'request');
      void handleError(error, request, reply);
    },
    clientErrorHandler: answerBrokenRequests,
  });
  app.server.maxConnections = config.ALFRED_MAX_CONNECTIONS;
  return app;
}

/** Refuses what no schema can state, or what the schemas would convert. */
function refuseUnusable(app: Api): void {
  app.addHook('preValidation', async (request) => {
    const { body, query, routeOptions } = request;
    refuseDeep(body);
    refuseUnexpectedBody(request);
    refuseOddNumbers(query, routeOptions.schema?.querystring);
  });
  app.addHook('preHandler', async ({ body, query }) => {
    refuseUnstorable(body);
    refuseUnstorable(query, ['query']);
  });
}

/** Each operation that a signed-in principal asks for says what it does, so that the policy can be asked. */
function requireRules(app: Api): void {
  app.addHook('onRoute', ({ url, schema }) => {
    if (url.startsWith('/v1/')) ruleOf(schema?.operationId);
  });
}

/** Routes that choose among media types themselves. A client of MCP takes event streams as well as JSON. */
const choosesMediaType = (path: string) =>
  path === '/mcp' || ['/events', '/:artifactId', '/rejected', '/documents/:id/text'].some((end) => path.endsWith(end));

/** Probes answer under any address, and say no more than states there. `/metrics` has names of agents. */
const isProbe = (path: string) => path === '/health' || path === '/healthz';

/** @param fileSize the largest upload, in bytes */
async function takeUploads(app: Api, fileSize: number): Promise<void> {
  await app.register(multipart, {
    preservePath: true,
    throwFileSizeLimit: false,
    limits: { fileSize, files: maxFiles, parts: maxFiles, fields: 100, fieldSize: 10_000, headerPairs: 100 },
  } as Parameters<typeof multipart>[1]);
}
