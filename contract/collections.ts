import { z } from 'zod';
import { defaultChunking } from './chunking.ts';
import { CollectionName } from './documents.ts';
import { NextCursor, pageQuery } from './paging.ts';

/** The settings of a collection. The fields are those of `Chunking`. */
const Settings = z.strictObject({
  chunkTokens: z
    .int()
    .min(64)
    .max(1_000)
    .default(defaultChunking.chunkTokens)
    .describe('Longest chunk, in tokens of 4.5 characters, with what it repeats'),
  overlapTokens: z
    .int()
    .min(0)
    .default(defaultChunking.overlapTokens)
    .describe('How much of the chunk before stands in front of the next, at the most; less than half of chunkTokens'),
});

/** The settings as a request sends them. A missing field gets its default. */
export const CollectionSettings = Settings.refine(({ chunkTokens, overlapTokens }) => 2 * overlapTokens < chunkTokens, {
  path: ['overlapTokens'],
  message: 'must be less than half of chunkTokens, else chunks would say mostly the same',
});

export const Collection = z.object({
  name: z.string(),
  settings: Settings.describe('How documents are cut that are added or read from now on'),
  documents: z.int().nonnegative().describe('That you may read'),
  chunks: z.int().nonnegative().describe('Of these documents'),
  outdated: z
    .int()
    .nonnegative()
    .describe(
      'Of these documents, those that were cut by other settings; the next upload or sync of each cuts it again',
    ),
});
export type Collection = z.infer<typeof Collection>;

export const CollectionListQuery = z.strictObject({
  ...pageQuery({ usual: 100, most: 500, fits: (cursor) => CollectionName.safeParse(cursor).success }),
});
export type CollectionListQuery = z.infer<typeof CollectionListQuery>;
export const CollectionList = z.object({ collections: z.array(Collection), nextCursor: NextCursor });
export type CollectionList = z.infer<typeof CollectionList>;
