import { z } from 'zod';
import { flag, milliseconds, url } from './values.ts';

/** Variables for embeddings, the search index and reranking. */
export const search = {
  ALFRED_DATA_DIR: z.string().min(1).default('.alfred').describe('folder for the search index and caches'),
  ALFRED_EMBEDDINGS: z
    .string()
    .regex(
      /^(local(:minilm|:bge-small)?|none|openai:\S{1,200})$/,
      'expected local, local:minilm, local:bge-small, none, or openai:<model>',
    )
    .default('local')
    .describe(
      'what makes vectors of documents: local, an ONNX model on this machine, for which `npm start` fetches multilingual-e5-small; local:minilm, the same with all-MiniLM-L6-v2, which is smaller and reads English; local:bge-small, with bge-small-en-v1.5, English too; openai:<model>, a server that speaks OpenAI’s embeddings; none, and a search goes by words alone',
    ),
  ALFRED_EMBEDDING_THREADS: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'threads of a process that embed with a local model, each with a copy of it in memory; default: 2, or 1 on a machine with one processor',
    ),
  ALFRED_EMBEDDING_MODEL_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with model.onnx and tokenizer.json for local embeddings; default: embedding-model in ALFRED_DATA_DIR, `npm start` fetches one',
    ),
  HF_ENDPOINT: url(/^https?:$/, 'https://host')
    .default('https://huggingface.co')
    .describe('model hub, or a mirror of it, that `npm start` may fetch the embedding model from'),
  EMBEDDINGS_BASE_URL: url(/^https?:$/, 'http://host:port/v1')
    .optional()
    .describe('server for ALFRED_EMBEDDINGS=openai:…, with its /v1; default: OPENAI_BASE_URL, else OpenAI'),
  EMBEDDINGS_API_KEY: z.string().min(1).optional().describe('key for it; default: OPENAI_API_KEY'),
  EMBEDDINGS_QUERY_PREFIX: z
    .string()
    .max(500)
    .optional()
    .describe(
      'what its model wants before a query; default: what the authors of E5, Nomic Embed and BGE prescribe for a model of that name, else nothing',
    ),
  EMBEDDINGS_PASSAGE_PREFIX: z.string().max(500).optional().describe('the same before a passage'),
  RERANK: z
    .enum(
      ['none', 'local:ms-marco-minilm-l12', 'local:ms-marco-minilm', 'local:mmarco-minilm'],
      'expected none, local:ms-marco-minilm-l12, local:ms-marco-minilm or local:mmarco-minilm',
    )
    .optional()
    .describe(
      'reranker on this machine, which puts the best passages of a search in a new order: local:ms-marco-minilm-l12, English, 34 MB; local:ms-marco-minilm, English, 23 MB; local:mmarco-minilm, fourteen languages, 136 MB; none. Default: none, but `npm start` fetches and uses local:ms-marco-minilm-l12 where ALFRED_EMBEDDINGS names a model on this machine and RERANK_URL is not set',
    ),
  RERANK_MODEL_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with model.onnx and tokenizer.json for RERANK; default: rerank-model in ALFRED_DATA_DIR, `npm start` fetches one',
    ),
  RERANK_URL: url(/^https?:$/, 'http://host:port/v1/rerank')
    .refine((value) => !/^https?:\/\/[^/?#]*@/i.test(value), {
      error: 'expected no user and password in it: put the key into RERANK_API_KEY',
    })
    .optional()
    .describe('reranker on a server, its whole address; default: none. RERANK_MODEL belongs to it'),
  RERANK_FORMAT: z
    .enum(['cohere', 'tei'])
    .default('cohere')
    .describe(
      'what it speaks: cohere, as Cohere, Jina, vLLM, llama.cpp and Infinity do; tei, Hugging Face’s Text Embeddings Inference',
    ),
  RERANK_MODEL: z
    .string()
    .regex(/^\S{1,200}$/, 'expected a name without spaces')
    .optional()
    .describe('its model, as the server calls it; names the ranking in `indexVersion`'),
  RERANK_API_KEY: z.string().min(1).optional().describe('key for it, sent as a bearer token'),
  RERANK_CANDIDATES: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'passages of a search that a reranker gets; default: 12 on this machine, of which it reads the 16 nearest sentences where these have vectors; 32 on a server. TEI takes 32 by default',
    ),
  RERANK_TIMEOUT_MS: milliseconds
    .min(1)
    .max(60_000)
    .optional()
    .describe(
      'how long a search waits for it before it goes on without; default: 5000 on this machine, 2000 on a server',
    ),
  RERANK_EVIDENCE: z
    .string()
    .regex(/^-?\d+(\.\d+)?,-?\d+(\.\d+)?$/, 'expected two numbers, as 0.5,0.02')
    .transform((value) => {
      const [strong = 0, weak = 0] = value.split(',').map(Number);
      return { strong, weak };
    })
    .refine(({ strong, weak }) => strong >= weak, 'expected the higher of the two numbers first')
    .optional()
    .describe(
      'scores of the best passage from which `evidence` is strong, and from which it is weak, as 0.5,0.02, for scores of whole passages; default: none, and scores only order passages',
    ),
  QDRANT_URL: url(/^https?:$/, 'http://host:6333')
    .optional()
    .describe('Qdrant server that searches, http(s)://host:port; default: an embedded index in ALFRED_DATA_DIR'),
  VECTOR_DB_KEY: z.string().min(1).optional().describe('API key for Qdrant'),
  ALFRED_QDRANT_COLLECTION: z
    .string()
    .regex(/^[\w-]{1,200}$/, 'expected letters, digits, - and _')
    .default('alfred-passages')
    .describe('alias of the collection in Qdrant; an installation of its own needs one of its own'),
  ALFRED_QDRANT_SHARDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('shards of the collection; default: as Qdrant has it, one a node'),
  ALFRED_QDRANT_REPLICAS: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('copies of each shard, on nodes of their own; default: as Qdrant has it, 1'),
  ALFRED_QDRANT_ON_DISK: flag.default(false).describe('true: Qdrant keeps vectors and their index on disk'),
  ALFRED_QDRANT_QUANTIZATION: z
    .enum(['none', 'scalar', 'binary'])
    .default('none')
    .describe('how Qdrant shortens dense vectors in memory: to a quarter (scalar), to a 32nd (binary)'),
} as const;
