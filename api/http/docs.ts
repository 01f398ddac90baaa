import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { Api } from './fastify.ts';
import { openapi, transform, transformObject } from './openapi.ts';

/** The document, made from the routes' schemas. Registered before them. */
export const registerOpenApi = (app: Api) => app.register(swagger, { openapi, transform, transformObject });

/** Nothing from elsewhere, and no frame around it. Swagger UI writes styles into its elements. */
const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** The document for people, at /docs; everything it shows comes from this process. */
export const registerDocsPage = (app: Api) =>
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    transformStaticCSP: () => contentSecurityPolicy,
    uiConfig: { docExpansion: 'list', deepLinking: true, defaultModelsExpandDepth: 0, validatorUrl: null },
    theme: { title: 'Alfred API' },
  });
