import { Counter, type Registry } from 'prom-client';

/** What social-intel reads from the network. */
export const createSocialMetrics = (registers: Registry[]) => ({
  socialRequests: new Counter({
    name: 'social_requests_total',
    help: 'Requests to the sources of social-intel, and those that a pause or a limit has kept back',
    labelNames: ['source', 'outcome'],
    registers,
  }),
  socialQuota: new Counter({
    name: 'social_quota_used_total',
    help: 'What requests have used of a daily quota, in units of the source',
    labelNames: ['source', 'quota'],
    registers,
  }),
});
