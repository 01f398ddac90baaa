import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { browserSignInRoutes } from './browser-sign-in.ts';
import { slackLinkRoutes } from './slack-link.ts';
import { signInMetadataRoutes } from './sign-in-metadata.ts';

/** Where people sign in: for programs that ask, and for browsers. */
export const signInRoutes =
  (deps: Pick<ApiDeps, 'browserSignIn' | 'config' | 'identify' | 'slackLinking' | 'tenants'>) => async (app: Api) => {
    await app.register(signInMetadataRoutes(deps));
    await app.register(browserSignInRoutes(deps));
    await app.register(slackLinkRoutes(deps));
  };
