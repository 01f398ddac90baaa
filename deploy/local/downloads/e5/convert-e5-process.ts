import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encoderModel } from './encoder-model.ts';
import { readE5s1 } from './read-e5s1.ts';
import { unigramTokenizer } from './unigram-tokenizer.ts';

// A process of its own: see convert-e5.ts. Its arguments: the file with the weights, and the folder for the result.
const [, , file = '', folder = ''] = process.argv;
const encoder = readE5s1(await readFile(file));
await writeFile(join(folder, 'model.onnx'), encoderModel(encoder, 'multilingual-e5-small'));
await writeFile(join(folder, 'tokenizer.json'), unigramTokenizer(encoder));
