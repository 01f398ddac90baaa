// Plain values, so that processes that read files load no schema library.

/** How a text is cut: a chunk's greatest length, and how much of it repeats the chunk before at the most, in tokens. */
export type Chunking = { chunkTokens: number; overlapTokens: number };

/** When nobody says. About one idea, and small enough that a handful fits any model. */
export const defaultChunking: Chunking = { chunkTokens: 350, overlapTokens: 0 };
