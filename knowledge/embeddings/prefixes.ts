/** What a model wants before a text, so that queries and the passages that answer them come near each other. */
export type Prefixes = { query: string; passage: string };

export const noPrefixes: Prefixes = { query: '', passage: '' };

/** What the authors of models prescribe, by a part of the model's name. The first that fits counts. */
const knownPrefixes: [name: RegExp, prefixes: Prefixes][] = [
  // https://huggingface.co/intfloat/multilingual-e5-large-instruct: another form, which depends on the task
  [/e5.*instruct/i, noPrefixes],
  // https://huggingface.co/intfloat/multilingual-e5-small
  [/(^|[^a-z0-9])e5([^a-z0-9]|$)/i, { query: 'query: ', passage: 'passage: ' }],
  // https://huggingface.co/nomic-ai/nomic-embed-text-v1.5
  [/nomic-embed-text/i, { query: 'search_query: ', passage: 'search_document: ' }],
  // https://huggingface.co/BAAI/bge-small-en-v1.5
  [/bge-(small|base|large)-en/i, { query: 'Represent this sentence for searching relevant passages: ', passage: '' }],
];

/** The prefixes for a model of this name; none for an unknown one. */
export const prefixesOf = (model: string): Prefixes =>
  knownPrefixes.find(([name]) => name.test(model))?.[1] ?? noPrefixes;
