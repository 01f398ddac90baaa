/**
 * Text as it streams in, with the numbers of what it cites behind it, as [2] or [1, 2]. Where the model has written them
 * itself, in the same block or right behind it, they stand once.
 */
export class MarkedText {
  /** Said and not shown: white space, which a marker stands before, or what may become the model's own marker. */
  private held = '';
  /** Numbers of the block before. */
  private readonly due = new Set<number>();
  private block = '';
  /** Markers at its beginning are of the block before. */
  private isBehindCited = false;
  private hasShown = false;

  /** @returns what can be shown now */
  say(text: string): string {
    this.block += text;
    this.held += text;
    return this.due.size > 0 && mayBeMarker.test(this.held) ? '' : this.show(this.held.trimEnd().length);
  }

  /** A block ends, and these passages are cited by it. */
  endBlock(numbers: number[]) {
    const own = numbersIn(this.isBehindCited ? this.block.replace(ownMarkers, '') : this.block);
    for (const n of numbers) if (!own.includes(n)) this.due.add(n);
    this.block = '';
    this.isBehindCited = this.due.size > 0;
  }

  /** Nothing more comes. @returns what was held */
  end(): string {
    return this.show(this.held.length);
  }

  private show(length: number): string {
    const own = numbersIn(ownMarkers.exec(this.held)?.[0] ?? '');
    const missing = [...this.due].filter((n) => !own.includes(n));
    const marker = missing.length > 0 ? `${this.hasShown ? ' ' : ''}[${missing.join(', ')}]` : '';
    const shown = marker + this.held.slice(0, length);
    this.held = this.held.slice(length);
    this.due.clear();
    this.hasShown ||= shown !== '';
    return shown;
  }
}

const mayBeMarker = /^\s*(?:\[[\d\s,]*\]\s*)*(?:\[[\d\s,]*)?$/;
const ownMarkers = /^\s*(?:\[[\d\s,]*\]\s*)*/;
const numbersIn = (text: string) =>
  [...text.matchAll(/\[([\d\s,]+)\]/g)].flatMap(([, list = '']) => list.split(',').map(Number));
