import { getResolvedPDFJS } from 'unpdf';
import type { PDFPageProxy } from 'unpdf/pdfjs';
import { fileProblem } from '../file-problem.ts';
import type { Raster } from './raster.ts';

/** An image of a PDF, as its reader decodes it (ImageKind): packed bits, RGB or RGBA. */
type Image = { width: number; height: number; kind?: number; data: Uint8Array | Uint8ClampedArray };
/** Where an image stands: [a b c d e f] maps its unit square to pixels of the page. */
type Matrix = [number, number, number, number, number, number];
type PlacedImage = { image: Image; matrix: Matrix; isMask: boolean };

/** Scans are made for reading, so their pages are covered. Less is a logo or a figure. */
const minCoveredShare = 0.3;
/** A4 at 400 dots per inch has 15 million. */
const maxPixels = 20_000_000;
const pointsPerInch = 72;
const maxDotsPerInch = 400;
/** Images that are painted on one page. */
const maxImages = 2_000;
const maxNesting = 50;

/** How many pixels an image may have; the reader leaves larger ones out. A4 at 600 dots per inch has 35 million. */
export const maxImagePixels = 60_000_000;
/** What all images of a page take when they are decoded; a scan at 600 dots per inch in colour takes 105 MB. */
const maxPageImageBytes = 256 * 1024 * 1024;
/** How often the images of a page cover it; a scan in layers does so about three times. */
const maxTimesCovered = 20;

/**
 * Paints the images of a page, as a scanner has put them there: one, or strips, or layers, upright or turned. Nothing
 * else of the page is painted.
 *
 * @param name of the file
 * @returns undefined when images cover less than a third of the page
 * @throws AlfredError `file_too_large`
 */
export async function paintPage(name: string, page: PDFPageProxy): Promise<Raster | undefined> {
  const view = page.getViewport({ scale: 1 });
  const images = await placedImages(name, page, view.transform as Matrix);
  const covered = images.reduce((sum, { matrix: [a, b, c, d] }) => sum + Math.abs(a * d - b * c), 0);
  if (images.reduce((sum, image) => sum + boxArea(image), 0) > view.width * view.height * maxTimesCovered)
    throw tooManyImages(name, page);
  if (covered < view.width * view.height * minCoveredShare) return undefined;
  const density = Math.max(...images.map(({ image, matrix: [a, b] }) => image.width / Math.max(1, Math.hypot(a, b))));
  const scale = Math.min(
    Math.max(1, density),
    maxDotsPerInch / pointsPerInch,
    Math.sqrt(maxPixels / (view.width * view.height)),
  );
  const width = Math.max(1, Math.floor(view.width * scale));
  const height = Math.max(1, Math.floor(view.height * scale));
  const raster = { width, height, pixels: new Uint8Array(width * height).fill(255) };
  for (const { matrix, ...placed } of images)
    paint(raster, { ...placed, matrix: matrix.map((value) => value * scale) as Matrix });
  return raster;
}

/** The part of the page that has to be looked at to paint an image, in pixels of the page. */
const boxArea = ({ matrix: [a, b, c, d] }: PlacedImage) => (Math.abs(a) + Math.abs(c)) * (Math.abs(b) + Math.abs(d));

const tooManyImages = (name: string, { pageNumber }: PDFPageProxy) =>
  fileProblem(
    'file_too_large',
    name,
    `the pictures of page ${pageNumber} are too large or too many to be read. Save the page as one picture and add it again.`,
  );

/**
 * Bounds what the images of a page take. The reader decodes all of them unasked, and a few bytes may unpack to a large
 * one, so those beyond the limit are not kept.
 *
 * @returns tells whether the limit was reached, and lifts it
 */
function limitImages(page: PDFPageProxy): { areTooLarge(): boolean; release(): void } {
  let bytes = 0;
  const all = [page.objs, page.commonObjs];
  for (const objects of all) {
    const resolve = objects.resolve.bind(objects);
    objects.resolve = (id: string, data?: unknown) => {
      bytes += (data as { data?: { length?: number } } | null)?.data?.length ?? 0;
      resolve(id, bytes > maxPageImageBytes ? null : data);
    };
  }
  return {
    areTooLarge: () => bytes > maxPageImageBytes,
    // What several pages share is counted for the painted page only. Without it, the method of the class is back.
    release: () => all.forEach((objects) => Reflect.deleteProperty(objects, 'resolve')),
  };
}

async function placedImages(name: string, page: PDFPageProxy, viewport: Matrix): Promise<PlacedImage[]> {
  const limit = limitImages(page);
  try {
    return await readImages(page, viewport, () => {
      if (limit.areTooLarge()) throw tooManyImages(name, page);
    });
  } finally {
    limit.release();
  }
}

async function readImages(page: PDFPageProxy, viewport: Matrix, checkLimit: () => void): Promise<PlacedImage[]> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  const images: PlacedImage[] = [];
  const saved: Matrix[] = [];
  let matrix = viewport;
  for (const [index, operator] of fnArray.entries()) {
    const args = (argsArray[index] ?? []) as unknown[];
    if (operator === OPS.save || operator === OPS.paintFormXObjectBegin) {
      if (saved.length < maxNesting) saved.push(matrix);
      if (operator === OPS.paintFormXObjectBegin && Array.isArray(args[0])) matrix = product(matrix, args[0] as Matrix);
    } else if (operator === OPS.restore || operator === OPS.paintFormXObjectEnd) matrix = saved.pop() ?? matrix;
    else if (operator === OPS.transform) matrix = product(matrix, args as Matrix);
    else if (
      operator === OPS.paintImageXObject ||
      operator === OPS.paintInlineImageXObject ||
      operator === OPS.paintImageMaskXObject
    ) {
      const image = await imageOf(page, args[0]);
      if (image) images.push({ image, matrix, isMask: operator === OPS.paintImageMaskXObject });
      checkLimit();
      if (images.length === maxImages) break;
    }
  }
  return images;
}

/** The image itself, or the one with that id, which the reader decodes meanwhile. */
async function imageOf(page: PDFPageProxy, argument: unknown): Promise<Image | undefined> {
  const inline = typeof argument === 'object' ? (argument as Partial<Image> & { data?: unknown }) : undefined;
  const id = typeof argument === 'string' ? argument : inline?.data;
  const found =
    typeof id === 'string'
      ? await new Promise<unknown>((resolve) => {
          (id.startsWith('g_') ? page.commonObjs : page.objs).get(id, resolve);
        })
      : inline;
  const image = found as Partial<Image> | null | undefined;
  return image?.data && image.width && image.height ? (image as Image) : undefined;
}

const product = ([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix => [
  a * g + c * h,
  b * g + d * h,
  a * i + c * j,
  b * i + d * j,
  a * k + c * l + e,
  b * k + d * l + f,
];

/** Paints an image: for each pixel of the page that it covers, the pixel of the image that is there. */
function paint({ width, height, pixels }: Raster, { image, matrix: [a, b, c, d, e, f], isMask }: PlacedImage) {
  const determinant = a * d - b * c;
  if (determinant === 0) return;
  const xs = [e, e + a, e + c, e + a + c];
  const ys = [f, f + b, f + d, f + b + d];
  const [left, right] = [Math.max(0, Math.floor(Math.min(...xs))), Math.min(width, Math.ceil(Math.max(...xs)))];
  const [top, bottom] = [Math.max(0, Math.floor(Math.min(...ys))), Math.min(height, Math.ceil(Math.max(...ys)))];
  const grey = greyReader(image, isMask);
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const [dx, dy] = [x + 0.5 - e, y + 0.5 - f];
      const column = Math.floor(((d * dx - c * dy) / determinant) * image.width);
      // The unit square's upper edge, at 1, is the first row of the image.
      const row = Math.floor((1 - (a * dy - b * dx) / determinant) * image.height);
      if (column < 0 || row < 0 || column >= image.width || row >= image.height) continue;
      const at = y * width + x;
      pixels[at] = grey(column, row, pixels[at] ?? 255);
    }
}

/** Gives the grey of a pixel over what is below it. A mask is black where its bits are 0 and transparent elsewhere. */
function greyReader({ data, width, height, kind }: Image, isMask: boolean) {
  const channels = data.length >= width * height ? Math.round(data.length / (width * height)) : 0;
  const rowBytes = (width + 7) >> 3;
  return (column: number, row: number, below: number): number => {
    if (kind === 1 || channels === 0) {
      const bit = ((data[row * rowBytes + (column >> 3)] ?? 0) >> (7 - (column & 7))) & 1;
      return isMask ? (bit === 0 ? 0 : below) : bit * 255;
    }
    const at = (row * width + column) * channels;
    if (channels < 3) return data[at] ?? below;
    const grey = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
    const alpha = channels === 4 ? (data[at + 3] ?? 255) / 255 : 1;
    return grey * alpha + below * (1 - alpha);
  };
}
