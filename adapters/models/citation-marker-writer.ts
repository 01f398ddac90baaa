/**
 * Inserts citation markers such as [2] or [1, 2] into streamed text, behind the blocks that cite passages.
 *
 * A marker that the model has written itself, in the same block or right behind it, is not repeated.
 */
export class CitationMarkerWriter {
  /**
   * Received but not written yet: trailing white space (a marker goes before it), or the start of the model's marker.
   */
  private pendingText = '';
  /** Passage numbers that the previous block cites and that have no marker yet. */
  private readonly pendingNumbers = new Set<number>();
  /** Text of the current block. */
  private block = '';
  /** The previous block cites passages, so markers at the beginning of the current block belong to the previous one. */
  private followsCitedBlock = false;
  private hasWritten = false;

  /** @returns the text that can be written now */
  append(text: string): string {
    this.block += text;
    this.pendingText += text;
    if (this.pendingNumbers.size > 0 && possibleMarkerStart.test(this.pendingText)) return '';
    return this.write(this.pendingText.trimEnd().length);
  }

  /** Ends a block. @param citedNumbers the passages that it cites */
  endBlock(citedNumbers: number[]) {
    const ownText = this.followsCitedBlock ? this.block.replace(leadingMarkers, '') : this.block;
    const markedNumbers = numbersIn(ownText);
    for (const n of citedNumbers) if (!markedNumbers.includes(n)) this.pendingNumbers.add(n);
    this.block = '';
    this.followsCitedBlock = this.pendingNumbers.size > 0;
  }

  /** Ends the text. @returns what was still pending */
  finish(): string {
    return this.write(this.pendingText.length);
  }

  /** Writes the missing markers and the first `length` characters of the pending text. */
  private write(length: number): string {
    const markedNumbers = numbersIn(leadingMarkers.exec(this.pendingText)?.[0] ?? '');
    const missingNumbers = [...this.pendingNumbers].filter((n) => !markedNumbers.includes(n));
    const marker = missingNumbers.length > 0 ? `${this.hasWritten ? ' ' : ''}[${missingNumbers.join(', ')}]` : '';
    const written = marker + this.pendingText.slice(0, length);
    this.pendingText = this.pendingText.slice(length);
    this.pendingNumbers.clear();
    this.hasWritten ||= written !== '';
    return written;
  }
}

/** Nothing but markers, white space and perhaps the beginning of another marker. */
const possibleMarkerStart = /^\s*(?:\[[\d\s,]*\]\s*)*(?:\[[\d\s,]*)?$/;
const leadingMarkers = /^\s*(?:\[[\d\s,]*\]\s*)*/;
const numbersIn = (text: string) =>
  [...text.matchAll(/\[([\d\s,]+)\]/g)].flatMap(([, list = '']) => list.split(',').map(Number));
