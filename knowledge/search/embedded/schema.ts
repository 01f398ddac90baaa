/** Raise this number when the tables or the indexed form of text change. Files of another format are rebuilt. */
export const formatVersion = 4;

/**
 * The tables of one tenant's file.
 *
 * `words` stores no text, only which passage contains which term: the text that people read comes from Postgres. The
 * terms come from `passageTerms`, with spaces between them, so that the tokenizer only has to split them there. English
 * stems find more than unstemmed words or trigrams: nDCG@10 of .390, .380 and .366 on the Cranfield collection.
 *
 * `spellings` has the words that a misspelt word of a query may be matched to, and for a while those of passages that
 * are gone: `pruned_from` and `pruned_to` of `state` are the part of the list that was looked through last. `plain`: in
 * lower case without accents. `spelled` has which passage contains which of them, so that a word is only offered to
 * those who may read it.
 *
 * Passages with the same readers, collection, tags and language belong to one class (`classes`). A passage never
 * changes its class; it is replaced.
 */
export const schemaStatements = [
  `create table state (source text not null, applied integer not null, anchor text, model text not null,
    pruned_from text not null, pruned_to text not null)`,
  `insert into state values ('', 0, null, '', '', '')`,
  'create table classes (id integer primary key autoincrement, facets text not null unique)',
  'create table documents (id integer primary key, document_id text not null unique, hash text not null)',
  `create table passages (id integer primary key autoincrement, chunk_id text not null unique, document integer not null,
    class integer not null, updated integer not null)`,
  'create index passages_document on passages (document)',
  'create table vectors (id integer primary key autoincrement, passage integer not null unique, vector blob not null)',
  'create table spellings (plain text not null, word text not null, primary key (plain, word)) without rowid',
  `create virtual table spelled using fts5 (forms, content='', contentless_delete=1, detail=none, tokenize=ascii)`,
  `create virtual table words using fts5 (title, headings, body, content='', contentless_delete=1,
    tokenize="ascii tokenchars '-_./:+#'")`,
  `pragma user_version = ${formatVersion}`,
];
