import type { EncoderFile } from './read-e5s1.ts';

const [first, last] = ['<s>', '</s>'];

/** The tokenizer.json of a SentencePiece unigram model with the special tokens of XLM-RoBERTa. */
export function unigramTokenizer({ pieces, unknownId }: EncoderFile): string {
  const idOf = (token: string) => pieces.findIndex(([piece]) => piece === token);
  const special = [first, '<pad>', last, '<unk>'];
  return JSON.stringify({
    version: '1.0',
    added_tokens: special.map((content) => ({ id: idOf(content), content, special: true, normalized: false })),
    // The library ignores the map and normalises by NFKC and rules of its own, as SentencePiece does.
    normalizer: { type: 'Precompiled', precompiled_charsmap: '' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'WhitespaceSplit' },
        { type: 'Metaspace', replacement: '▁', add_prefix_space: true, prepend_scheme: 'always' },
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: first, type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: last, type_id: 0 } },
      ],
      pair: [],
      special_tokens: Object.fromEntries(
        [first, last].map((token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
    model: { type: 'Unigram', unk_id: unknownId, vocab: pieces },
  });
}
