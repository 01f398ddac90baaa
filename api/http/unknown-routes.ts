import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';
import type { Api } from './fastify.ts';
import { sendProblem } from './problems.ts';

/** Answers 405 with Allow for a known address, and 404 for an unknown one. Must be registered before the routes. */
export function answerUnknownRoutes(app: Api): void {
  const known: { pattern: RegExp; methods: Set<string> }[] = [];
  const methodsOf = new Map<string, Set<string>>();

  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const methods = methodsOf.get(url) ?? new Set<string>();
    if (!methodsOf.has(url)) {
      methodsOf.set(url, methods);
      known.push({ pattern: new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`), methods });
    }
    for (const one of [method].flat()) methods.add(one.toUpperCase());
  });

  app.setNotFoundHandler((request: FastifyRequest, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const methods = known.find(({ pattern }) => pattern.test(path))?.methods;
    if (!methods) return sendProblem(reply, new AlfredError('not_found', `There is nothing at ${path}. See /docs.`));
    const allow = [...methods].sort().join(', ');
    void reply.header('allow', allow);
    return sendProblem(reply, new AlfredError('method_not_allowed', `${path} takes ${allow}, not ${request.method}.`));
  });
}
