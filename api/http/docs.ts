import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { Api } from './fastify.ts';
import { openapi, transform, transformObject } from './openapi.ts';

/** Generates the OpenAPI document from the routes' schemas. Must be registered before the routes. */
export const registerOpenApi = (app: Api) => app.register(swagger, { openapi, transform, transformObject });

/** Loads nothing from other sites and allows no frame around it. Swagger UI writes inline styles. */
const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Serves the API reference at /docs, with all its assets from this process. */
export const registerDocsPage = (app: Api) =>
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    transformStaticCSP: () => contentSecurityPolicy,
    uiConfig: { docExpansion: 'list', deepLinking: true, defaultModelsExpandDepth: 0, validatorUrl: null },
    theme: { title: 'Alfred API' },
  });
