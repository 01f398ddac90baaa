/**
 * The last character boundary at or before an offset: one less when the offset lies between the two halves of a
 * surrogate pair. A text that is cut there stays valid Unicode.
 */
export const characterBoundary = (text: string, offset: number): number =>
  /^[\uDC00-\uDFFF]/.test(text.charAt(offset)) && offset > 0 ? offset - 1 : offset;
