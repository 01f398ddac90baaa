import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { usageError } from '../cli-error.ts';

const Document = z.object({ _id: z.string(), title: z.string().default(''), text: z.string() });
const Query = z.object({ _id: z.string(), text: z.string().trim().min(1) });

export type Corpus = {
  documents: { id: string; title: string; text: string }[];
  /** Only queries with at least one relevant document. `relevant`: grades by document id. */
  queries: { id: string; text: string; relevant: Map<string, number> }[];
};

/**
 * Reads a test collection in the layout of BEIR: corpus.jsonl, queries.jsonl, qrels/test.tsv (query, document, grade).
 *
 * @throws CliError that names the file and line that is wrong
 */
export async function readCorpus(dir: string): Promise<Corpus> {
  const documents = (await readLines(join(dir, 'corpus.jsonl'), Document)).map(({ _id, title, text }) => ({
    id: _id,
    title,
    text,
  }));
  const queries = await readLines(join(dir, 'queries.jsonl'), Query);
  const gradesByQuery = await readJudgements(join(dir, 'qrels', 'test.tsv'));
  const judgedQueries = queries.flatMap(({ _id, text }) => {
    const grades = gradesByQuery.get(_id);
    return grades ? [{ id: _id, text, relevant: grades }] : [];
  });
  if (documents.length === 0 || judgedQueries.length === 0)
    throw usageError(
      `${dir} holds ${documents.length} documents and ${judgedQueries.length} judged questions: nothing to measure.`,
    );
  return { documents, queries: judgedQueries };
}

async function readLines<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>[]> {
  return (await readText(path)).split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const parsed = schema.safeParse(parseJson(line));
    if (parsed.success) return [parsed.data];
    throw usageError(`${path}, line ${i + 1}: ${z.prettifyError(parsed.error)}`);
  });
}

/** @returns grades above 0, by document id, by query id */
async function readJudgements(path: string): Promise<Map<string, Map<string, number>>> {
  const gradesByQuery = new Map<string, Map<string, number>>();
  for (const [i, line] of (await readText(path)).split('\n').entries()) {
    const [query = '', document = '', grade = ''] = line.trim().split('\t');
    // The first line names the columns.
    if (line.trim() === '' || (i === 0 && Number.isNaN(Number(grade)))) continue;
    if (!document || Number.isNaN(Number(grade)))
      throw usageError(`${path}, line ${i + 1}: expected query, document and grade with tabs between them`);
    if (Number(grade) > 0)
      gradesByQuery.set(query, (gradesByQuery.get(query) ?? new Map<string, number>()).set(document, Number(grade)));
  }
  return gradesByQuery;
}

const readText = (path: string) =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${path} cannot be read (${error.code}): --corpus names a folder in BEIR layout.`);
  });
