import type { FastifyRequest } from 'fastify';
import type { SignInMetadata } from '../../contract/sign-in-metadata.ts';
import { signInMetadataPath } from '../../contract/sign-in-metadata.ts';
import { scopeNames } from '../../contract/rules/scopes.ts';
import { deviceSignInsOf } from '../../runtime/device-sign-in.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';

/**
 * Says at which providers people sign in (RFC 9728), so that a client needs the address of the API alone. It says
 * nothing that a token of the provider would not show too. The API document leaves it out: the standard describes it.
 */
export const signInMetadataRoutes =
  ({ config }: Pick<ApiDeps, 'config'>) =>
  async (app: Api) => {
    const issuers = (config.OIDC_ISSUER ?? []).map(({ issuer }) => issuer);
    const devices = deviceSignInsOf(config);
    // A caller's headers do not change it where the operator names it.
    const publicOrigin = config.ALFRED_PUBLIC_URL && new URL(config.ALFRED_PUBLIC_URL).origin;
    app.route({
      method: 'GET',
      url: signInMetadataPath,
      schema: { hide: true },
      handler: async (request, reply) => {
        const metadata: SignInMetadata = {
          resource: publicOrigin ?? originOf(request),
          resource_name: 'Alfred',
          authorization_servers: issuers,
          bearer_methods_supported: ['header'],
          scopes_supported: [...scopeNames],
          alfred_device_sign_in: devices,
        };
        return reply.header('cache-control', 'no-store').type('application/json').send(JSON.stringify(metadata));
      },
    });
  };

/**
 * The address as the caller knows it, where ALFRED_PUBLIC_URL is not set. A proxy that speaks TLS says so; its word
 * changes this answer alone.
 */
export const originOf = ({ headers }: Pick<FastifyRequest, 'headers'>): string =>
  `${headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${headers.host ?? ''}`;
