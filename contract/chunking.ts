// Zod is not imported here, because parser processes import this file and must stay small.

/** How a document's text is split into chunks. */
export type Chunking = {
  /** Length of the longest chunk, in tokens. */
  chunkTokens: number;
  /** How much of the previous chunk a chunk may repeat, in tokens. */
  overlapTokens: number;
};

/** 350 tokens hold about one idea, and a handful of such chunks fits any model's context. */
export const defaultChunking: Chunking = { chunkTokens: 350, overlapTokens: 0 };
