import { z } from 'zod';
import { Placement, Tags, UploadCollection } from './documents.ts';
import { Of, Owner } from './owner.ts';
import { NextCursor, pageQuery } from './paging.ts';
import { Readers } from './readers.ts';
import { TaskError } from './task.ts';

export const sourceKinds = ['web', 's3', 'git'] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** Whether this is an http(s) address without user and password. Addresses must hold no secrets: people see them. */
const isWebAddress = (address: string) => {
  const url = URL.parse(address);
  return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === '';
};

/**
 * Whether this is an address like `s3://bucket/prefix`, with a bucket name that follows AWS's rules
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
 */
const isS3Address = (address: string) =>
  /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\u0000-\u001f\u007f]*)?$/.test(address);

/** Whether an S3 address lies below one of the allowed prefixes, like `company-files/handbook`. */
export const isAllowedPrefix = (prefixes: readonly string[], address: string) =>
  prefixes.some((prefix) => {
    const place = `s3://${prefix}`;
    return address === place || address.startsWith(place.endsWith('/') ? place : `${place}/`);
  });

/** Options that depend on the kind of source. */
const SourceOptions = z.strictObject({
  sitemap: z
    .boolean()
    .optional()
    .describe(
      'web: whether the address is a sitemap (or an index of some); default: whether it ends in .xml or .xml.gz',
    ),
  branch: z
    .string()
    .min(1)
    .max(250)
    .regex(/^[^\s\u0000-\u001f\u007f~^:?*[\\]+$/, 'expected a branch, like main')
    .optional()
    .describe('git: default: the one that the repository shows first'),
  folder: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\u0000-\u001f\u007f]+$/, 'must not contain control characters')
    .optional()
    .describe('git: only what stands below it'),
});
export type SourceOptions = z.infer<typeof SourceOptions>;

/** JSON Schema: an object that has none of these fields. */
const optionsWithout = (...names: (keyof SourceOptions)[]) => ({
  properties: Object.fromEntries(names.map((name) => [name, { not: {} }])),
});

const Interval = z.int().min(60).max(31_536_000);

export const SourceRequest = Placement.extend({
  kind: z
    .enum(sourceKinds)
    .default('web')
    .describe(
      '`web`: a page, or a sitemap with all its pages; `s3`: the files below a bucket’s prefix, taken as a folder; `git`: those below a folder of a repository',
    ),
  address: z.string().trim().min(1).max(2_000),
  options: SourceOptions.default({}),
  everyS: Interval.optional().describe('Seconds from one sync to the next; without it, on request only'),
})
  .refine(({ kind, address }) => kind === 's3' || isWebAddress(address), {
    path: ['address'],
    message: 'expected a web address without user and password, like https://www.example.com/sitemap.xml',
  })
  .refine(({ kind, address }) => kind !== 's3' || isS3Address(address), {
    path: ['address'],
    message: 'expected a bucket and a prefix, like s3://company-files/handbook/',
  })
  .refine(({ kind, options: { branch, folder } }) => kind === 'git' || (branch ?? folder) === undefined, {
    path: ['options'],
    message: 'branch and folder go with the kind git',
  })
  .refine(({ kind, options }) => kind === 'web' || options.sitemap === undefined, {
    path: ['options', 'sitemap'],
    message: 'goes with the kind web',
  })
  // The last two rules, as JSON Schema states them. In an `allOf`, so that generators join it with the fields above.
  .meta({
    allOf: [
      {
        anyOf: [
          { title: 'Website', properties: { kind: { const: 'web' }, options: optionsWithout('branch', 'folder') } },
          {
            title: 'Bucket',
            required: ['kind'],
            properties: { kind: { const: 's3' }, options: optionsWithout('sitemap', 'branch', 'folder') },
          },
          {
            title: 'Repository',
            required: ['kind'],
            properties: { kind: { const: 'git' }, options: optionsWithout('sitemap') },
          },
        ],
      },
    ],
  });
export type SourceRequest = z.infer<typeof SourceRequest>;

/** The settings of a source that can be changed. The address cannot be changed: another address is another source. */
export const SourceChange = z
  .strictObject({
    everyS: Interval.nullable().optional().describe('Seconds from one sync to the next; null: on request only'),
    collection: UploadCollection.optional().describe('The documents that it brought move there'),
    readers: Readers.nullable()
      .optional()
      .describe('At once also of the documents that it brought; null: theirs stay, and new ones get the default'),
    tags: Tags.nullable().optional().describe('As readers'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'name something to change')
  .meta({ minProperties: 1 });
export type SourceChange = z.infer<typeof SourceChange>;

const SourceSync = z.object({
  state: z.enum(['queued', 'running', 'completed', 'failed', 'cancelled']),
  counts: z
    .object({
      pending: z.int(),
      added: z.int(),
      replaced: z.int(),
      unchanged: z.int(),
      failed: z.int(),
      gone: z.int().describe('Whose documents are still to be removed'),
      removed: z.int().describe('Whose documents were removed'),
    })
    .describe('Items by what the sync has done with them'),
  error: TaskError.nullable().describe('Why the whole sync failed'),
  requestedAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
});

export const SourceFailure = z.object({ name: z.string(), address: z.string(), error: TaskError });

/** A website, bucket or repository whose documents Alfred syncs. */
export const Source = z.object({
  id: z.uuid(),
  owner: Owner,
  kind: z.enum(sourceKinds),
  address: z.string(),
  options: SourceOptions,
  collection: z.string(),
  readers: z.array(z.string()).nullable().describe('As it was asked for; null: the default'),
  tags: z.array(z.string()).nullable(),
  everyS: z.int().nullable(),
  sync: SourceSync.describe('The last sync, or the one that is under way or asked for'),
  failures: z
    .array(SourceFailure)
    .max(100)
    .describe('Up to 100 items that could not be read, with the reason; the next sync tries them again'),
  createdAt: z.iso.datetime(),
  links: z.object({ self: z.string(), temporal: z.string().describe('The workflow of its syncs in Temporal Web UI') }),
});
export type Source = z.infer<typeof Source>;
/** A source's row without its links, which only the API can build. */
export type SourceRow = Omit<Source, 'links'>;

export const SourceListQuery = z.strictObject({
  of: Of,
  ...pageQuery({ most: 100, fits: (cursor) => z.uuid().safeParse(cursor).success }),
});
export type SourceListQuery = z.infer<typeof SourceListQuery>;
export const SourceList = z.object({ sources: z.array(Source), nextCursor: NextCursor });
export type SourceList = z.infer<typeof SourceList>;

export const SourceDeleteQuery = z.strictObject({
  documents: z.enum(['remove', 'keep']).default('remove').describe('What becomes of the documents that it brought'),
});
export type SourceDeleteQuery = z.infer<typeof SourceDeleteQuery>;
