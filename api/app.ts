import multipart from '@fastify/multipart';
import { fastify } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { AlfredError } from '../contract/errors.ts';
import { negotiate } from './http/negotiate.ts';
import type { ApiDeps } from './deps.ts';
import { registerDocsPage, registerOpenApi } from './http/docs.ts';
import type { Api } from './http/fastify.ts';
import { refuseStrangers } from './http/guard.ts';
import { checkScopes, identityOf } from './http/identity.ts';
import { createViews } from './links.ts';
import { checkTenant } from './http/tenant.ts';
import { observe, requestIdOf } from './http/observe.ts';
import { createStreamOpener } from './http/open-stream.ts';
import { createErrorHandler } from './http/problems.ts';
import { answerBrokenRequests } from './http/broken-requests.ts';
import { agentRoutes } from './routes/agents.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { cancelTaskRoutes } from './routes/cancel-task.ts';
import { collectionRoutes } from './routes/collections.ts';
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
import { meRoutes } from './routes/me.ts';
import { readerRoutes } from './routes/readers.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { conversationEventRoutes } from './routes/conversation-events.ts';
import { conversationMessageRoutes } from './routes/conversation-messages.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { sourceRoutes } from './routes/sources.ts';
import { stopConversationRoutes } from './routes/stop-conversation.ts';
import { systemRoutes } from './routes/system.ts';
import { undoTaskRoutes } from './routes/undo-task.ts';
import { taskBudgetRoutes } from './routes/task-budget.ts';
import { taskCitationRoutes } from './routes/task-citations.ts';
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

/** Builds the HTTP API. Nothing runs until the API listens or a request is injected. */
export async function createApi(deps: ApiDeps): Promise<Api> {
  const { config, log, readiness } = deps;
  const maxUpload = bytesOf(config.ALFRED_MAX_UPLOAD_MB);
  const handleError = createErrorHandler(log);
  const app: Api = fastify({
    logger: false,
    genReqId: requestIdOf,
    bodyLimit: Math.min(bodyLimit, maxUpload),
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      // No hook runs for addresses that the router cannot parse.
      void reply.header('x-request-id', request.id);
      log.info({ method: request.method, code: error.code, requestId: request.id }, 'request');
      void handleError(error, request, reply);
    },
    clientErrorHandler: answerBrokenRequests,
  });
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

  observe(app, deps);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-content-type-options', 'nosniff');
    // The router also takes addresses that spell a letter as %76: what counts is the route that it found.
    const path = request.routeOptions.url ?? request.url;
    if (!config.ALFRED_SKIP_HOST_CHECKS) refuseStrangers(request, config.ALFRED_API_HOSTS, isProbe(path));
    if (!path.startsWith('/v1/')) return;
    request.signIn = await identityOf(request, deps.identify);
    request.scope = request.signIn.principal;
    checkScopes(request);
    await checkTenant(request, deps);
    if (readiness.isDraining()) throw new AlfredError('draining');
    if (!path.endsWith('/events')) negotiate(request.headers.accept, ['application/json']);
  });
  refuseUnusable(app);
  answerUnknownRoutes(app);
  await takeUploads(app, maxUpload);
  await registerOpenApi(app);

  const shared = {
    ...deps,
    openStream: createStreamOpener({ ...deps, draining: stopping.signal }),
    views: createViews(config),
    draining: stopping.signal,
  };
  for (const routes of [
    taskRoutes,
    taskEventRoutes,
    cancelTaskRoutes,
    undoTaskRoutes,
    taskBudgetRoutes,
    taskCitationRoutes,
    deleteTaskRoutes,
    taskCallbackRoutes,
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
    apiKeyRoutes,
    controlApiKeyRoutes,
    meRoutes,
    usageRoutes,
    systemRoutes,
  ]) {
    await app.register(routes(shared));
  }
  await registerDocsPage(app);
  await app.ready();
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
