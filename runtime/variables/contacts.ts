import { z } from 'zod';
import { TenantName } from '../identity-settings.ts';
import { url } from './values.ts';

/** Variables for contacts and the CRM that they are written to. */
export const contacts = {
  ALFRED_CONTACTS_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/, 'expected a country as ISO 3166-1 alpha-2, like DE')
    .optional()
    .describe('country of phone numbers of contacts that have no country code; without it they are rejected'),
  ALFRED_CRM: z.enum(['none', 'hubspot']).default('none').describe('what contacts are written to: none, or hubspot'),
  ALFRED_CRM_TENANT: TenantName.optional().describe(
    'tenant that the CRM belongs to, needed with it: contacts of no other are written; local without sign-in',
  ),
  HUBSPOT_ACCESS_TOKEN: z
    .string()
    .min(1)
    .optional()
    .describe('access token of a private app of HubSpot with the scope crm.objects.contacts.write'),
  HUBSPOT_URL: url(/^https?:$/, 'https://api.hubapi.com')
    .default('https://api.hubapi.com')
    .describe('address of HubSpot’s API'),
} as const;
