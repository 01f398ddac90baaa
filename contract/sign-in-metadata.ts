import { z } from 'zod';

/** Where RFC 9728 puts the description of a protected resource. */
export const signInMetadataPath = '/.well-known/oauth-protected-resource';

/** How the command line signs a person in at one issuer, by the device flow (RFC 8628). */
export const DeviceSignIn = z.object({
  issuer: z.url(),
  client_id: z.string(),
  /** What requests to the provider have beside the client: scope, and how it learns of the audience. */
  parameters: z.record(z.string(), z.string()),
});
export type DeviceSignIn = z.infer<typeof DeviceSignIn>;

/** Protected resource metadata (RFC 9728), with a field of our own for the command line. */
export const SignInMetadata = z.object({
  resource: z.string(),
  resource_name: z.string().optional(),
  authorization_servers: z.array(z.string()).default([]),
  bearer_methods_supported: z.array(z.string()).optional(),
  scopes_supported: z.array(z.string()).optional(),
  alfred_device_sign_in: z.array(DeviceSignIn).default([]),
});
export type SignInMetadata = z.infer<typeof SignInMetadata>;
