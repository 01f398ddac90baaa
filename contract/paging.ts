import { z } from 'zod';

/** The most entries that a request may ask for. A list of large entries gives fewer. */
const mostAsked = 500;

/** Where a page of a list ends. Every list has it. */
export const NextCursor = z.string().nullable().describe('The `cursor` of the next page; null on the last one');

/**
 * The parameters of a list: `limit` and `cursor`, the same for every list.
 *
 * @param usual  entries of a page when the request does not say
 * @param most   entries of a page at the most; a higher `limit` gives that many
 * @param fits   whether the list can have given this cursor; when absent, who reads the list finds out
 */
export const pageQuery = ({
  usual = 50,
  most = 200,
  fits = () => true,
}: { usual?: number; most?: number; fits?: (cursor: string) => boolean } = {}) => ({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostAsked)
    .optional()
    .meta({
      'x-parameter': 'Limit',
      description:
        'How many at the most. A page may have fewer although others follow: go by `nextCursor`. Default: 50, of documents and collections 100, of events 500',
    })
    .transform((limit) => Math.min(limit ?? usual, most)),
  cursor: z.string().min(1).max(2_048).refine(fits, 'expected the nextCursor of a page before').optional().meta({
    'x-parameter': 'Cursor',
    description: '`nextCursor` of the page before. Without it the first page comes',
  }),
});
