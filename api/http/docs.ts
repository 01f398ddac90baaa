import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { transformObject } from './components.ts';
import type { Api } from './fastify.ts';
import { openapi, transform } from './openapi.ts';

/** Generates the OpenAPI document from the routes' schemas. Must be registered before the routes. */
export const registerOpenApi = (app: Api) => app.register(swagger, { openapi, transform, transformObject });

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#14524b"/><path d="M9 23 16 8l7 15M11.6 18h8.8" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** Requests of the page carry the session: they go to its own address, and browsers say so with each of them. */
const signInNote =
  '[Sign in](/auth/login?return=%2Fdocs) to try operations here, as yourself: what you send is done. Then load this page again.';

/**
 * Serves the API reference at /docs, with all its assets from this process.
 *
 * @param hasSignIn whether people sign in by browser
 */
export async function registerDocsPage(app: Api, { hasSignIn }: { hasSignIn: boolean }) {
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'));
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: {
      // Without Swagger's own bar on top.
      layout: 'BaseLayout',
      docExpansion: 'list',
      deepLinking: true,
      defaultModelsExpandDepth: 0,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      validatorUrl: null,
    },
    ...(hasSignIn && { transformSpecification: withSignIn }),
    theme: {
      title: 'Alfred API',
      css: [{ filename: 'alfred.css', content: await readFile(new URL('docs.css', import.meta.url), 'utf8') }],
      favicon: [{ filename: 'alfred.svg', rel: 'icon', sizes: 'any', type: 'image/svg+xml', content: icon }],
    },
  });
}

type Specification = { info?: { description?: string } };

/** The document that the page shows. The one for programs has no link to a page. */
const withSignIn = (document: Specification) => ({
  ...document,
  info: { ...document.info, description: `${document.info?.description ?? ''}\n\n${signInNote}` },
});
