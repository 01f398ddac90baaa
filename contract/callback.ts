import { z } from 'zod';

const hasCredentials = (url: string) => {
  const parsed = URL.parse(url);
  return parsed !== null && (parsed.username !== '' || parsed.password !== '');
};

const Address = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .refine((url) => !hasCredentials(url), 'expected an address without a user or password in it');

/**
 * The webhook that reports the end of a task or of an upload. The request is signed as Standard Webhooks specifies
 * (https://www.standardwebhooks.com).
 */
export const Callback = z
  .strictObject({
    url: Address.describe('Gets a signed POST when the task or upload has ended'),
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected whsec_ and 24 to 64 bytes in base64')
      .describe('Signs what is sent; never shown again'),
  })
  .describe('Tells a server of yours when it has ended; repeated for a day until it answers 2xx');
export type Callback = z.infer<typeof Callback>;

export const CallbackState = z.object({
  url: z.string(),
  state: z
    .enum(['waiting', 'delivering', 'delivered', 'failed'])
    .describe('`waiting`: for the end of the task or upload, or for a worker'),
  deliveries: z.int().nonnegative().describe('The first and every repeat that was asked for'),
  attempts: z.int().nonnegative(),
  lastAttemptAt: z.iso.datetime().nullable(),
  lastStatus: z.int().nullable().describe('HTTP status of the last answer'),
  lastError: z.string().nullable(),
  deliveredAt: z.iso.datetime().nullable(),
});
export type CallbackState = z.infer<typeof CallbackState>;

/** What may stand in a header. */
const printable = (max: number) =>
  z
    .string()
    .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'expected plain characters')
    .max(max);

/** The callback of a task in the form of A2A. */
export const PushConfig = z
  .strictObject({
    id: z.string().min(1).max(128).describe('A name that the caller gives'),
    url: Address.describe('Gets the task by a POST when it has ended'),
    token: printable(1_000).optional().describe('Sent as `X-A2A-Notification-Token`; never shown again'),
    authentication: z
      .strictObject({
        scheme: z.string().regex(/^[A-Za-z][\w.+-]{0,49}$/, 'expected a scheme like Bearer'),
        credentials: printable(4_000),
      })
      .optional()
      .describe('Sent as `Authorization`; never shown again'),
  })
  .describe('Where A2A tells of the end of a task');
export type PushConfig = z.infer<typeof PushConfig>;

/** A push config as it is shown: without what is secret. */
export const PushConfigView = z.object({ id: z.string(), url: z.string() });
export type PushConfigView = z.infer<typeof PushConfigView>;
