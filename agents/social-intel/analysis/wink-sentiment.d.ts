declare module 'wink-sentiment' {
  type Token = { value: string; tag: string; score?: number; negation?: boolean; grouped?: number };
  /** `score`: the sum of all scored tokens; `normalizedScore`: a token's share of it, from -5 to 5. */
  export default function sentiment(text: string): {
    score: number;
    normalizedScore: number;
    tokenizedPhrase?: Token[];
  };
}
