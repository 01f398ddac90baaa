// No zod here: parser processes import this file and must stay small.

/**
 * How a document's text is split into chunks, in tokens: the longest chunk, and how much of the previous chunk it may
 * repeat.
 */
export type Chunking = { chunkTokens: number; overlapTokens: number };

/** 350 tokens hold about one idea, and a handful of such chunks fits any model's context. */
export const defaultChunking: Chunking = { chunkTokens: 350, overlapTokens: 0 };
