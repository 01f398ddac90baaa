import { z } from 'zod';
import { ApprovalRule } from '../contract/approval.ts';
import { BusyPolicy } from '../contract/conversation.ts';
import { Budget } from '../contract/task.ts';
import { localProviders } from './local-model-servers.ts';

/** The providers that `provider:model` may name. */
export const providerNames = ['anthropic', 'openai', ...localProviders, 'offline', 'scripted'] as const;
export type ProviderName = (typeof providerNames)[number];

const model = `(${providerNames.join('|')}):[^\\s,]+`;
const expectedChain = `expected provider:model, or several separated by commas, with a provider of ${providerNames.join(', ')}, like anthropic:claude-sonnet-5-5,openai:gpt-6.2-sol`;

/**
 * One or more models, separated by commas. The first is used; the others replace it, in this order, while it is down.
 */
export const ModelChain = z.string().regex(new RegExp(`^${model}(,${model})*$`), expectedChain);

/** A variable that holds JSON. Faults inside the JSON are reported with their path. */
export const jsonVariable = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON: names and texts stand in double quotes' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** A variable that holds several values, separated by commas. */
export const commaSeparated = <S extends z.ZodType<string, string>>(item: S) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    )
    .pipe(z.array(item));

/** `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`. */
export const AddressRange = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'expected IP addresses or ranges like 10.0.0.5 or 10.0.0.0/8',
);

/** `https://console.example.com`, exactly as browsers send it in `Origin` */
export const PageOrigin = z
  .string()
  .toLowerCase()
  .refine((value) => /^https?:\/\/[^/]+$/.test(value) && URL.canParse(value) && new URL(value).origin === value, {
    error: 'expected origins like https://console.example.com, without a path; `*` is not taken',
  });

/** `hooks.example.com` */
export const HostName = z
  .string()
  .toLowerCase()
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'expected names like hooks.example.com, without scheme, port or path');

/** `api:8080`, or `alfred.example.com` with any port, or `[fd00::1]:8080` */
export const AllowedHost = z
  .string()
  .toLowerCase()
  .regex(
    /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/,
    'expected names like api:8080 or alfred.example.com, without scheme or path',
  );

/** `company-files` or `company-files/handbook` */
export const BucketPrefix = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^,]*)?$/, 'expected buckets or prefixes like company-files/handbook');

/** `alfred@example.com` or `Alfred <alfred@example.com>` */
export const Mailbox = z
  .string()
  .regex(
    /^[^<>\s@,;]+@[^<>\s@,;]+$|^[^<>\r\n@,;]+ <[^<>\s@,;]+@[^<>\s@,;]+>$/,
    'expected alfred@example.com or Alfred <alfred@example.com>',
  );

const price = z.number().nonnegative().max(1_000_000);
const tokens = z.int().positive().max(1_000_000_000_000);
const calls = z.int().positive().max(1_000_000_000);

/** The limits of one day (UTC), for all tasks of a tenant or for one agent's tasks of a tenant. */
export const DailyLimits = z.strictObject({
  maxCostUsd: z.number().nonnegative().max(1_000_000_000).optional(),
  maxTokens: tokens.optional(),
  maxModelCalls: calls.optional(),
});
export type DailyLimits = z.infer<typeof DailyLimits>;

const ModelOverride = z.strictObject({
  input: price.optional(),
  output: price.optional(),
  cacheRead: price.optional(),
  cacheWrite: price.optional(),
  contextTokens: tokens.min(256, 'expected at least 256 tokens').optional(),
  maxOutputTokens: tokens.optional(),
  requestsPerMinute: calls.optional(),
  tokensPerMinute: tokens.optional(),
  /** Whether the provider's own citations are used. */
  citations: z.boolean().optional(),
});

/** ALFRED_MODELS: overrides by `provider:model`, or by a prefix of it followed by `*`. */
export const ModelOverrides = z.record(
  z
    .string()
    .regex(new RegExp(`^(${providerNames.join('|')}):[^\\s,*]*\\*?$`), 'expected provider:model, or provider:begin*'),
  ModelOverride,
);

const roles = z.array(z.string().trim().min(1)).min(1).max(100);

/** ALFRED_AGENTS: settings by agent. */
export const AgentsSettings = z.record(
  z.string(),
  z.strictObject({
    model: ModelChain.optional(),
    onOutage: z.enum(['fallback', 'wait']).optional(),
    budget: Budget.optional(),
    perDay: DailyLimits.optional(),
    approvals: z.array(ApprovalRule).max(100).optional(),
    withoutApproval: z.array(z.string().min(1)).max(100).optional(),
    onBusy: BusyPolicy.optional(),
    roles: roles.optional(),
    tools: z.record(z.string().min(1), z.strictObject({ roles })).optional(),
  }),
);

const days = z.number().positive().max(36_500);

/** How long content is kept, in days. Without a value it is kept until a user deletes it. */
const Retention = z.strictObject({ tasksDays: days.optional(), conversationsDays: days.optional() });

/** ALFRED_TENANTS: settings by tenant; `*` stands for every other tenant. */
export const TenantsSettings = z.record(
  z.string().min(1),
  z.strictObject({
    perDay: DailyLimits.optional(),
    fairnessWeight: z.number().min(0.001).max(1_000).optional(),
    retention: Retention.optional(),
  }),
);
