import { AlfredError, type ErrorCode } from '../contract/errors.ts';
import type { OcrSetting } from '../contract/ocr.ts';
import type { FileToParse, ParsedDocument, Sheet, SheetFile } from '../contract/ports/index.ts';
import { parseFile } from './parse-file.ts';
import { readSheets } from './read-sheets.ts';
import { createRecogniser, type Recognise } from './recognition/recogniser.ts';

/** What the process is asked for: the text of a file, or its tables. */
export type ParserJob = { file: FileToParse; ocr: OcrSetting } | { sheetsOf: SheetFile };

/** What the process is sent: a job, or the text of a picture that it asked for. */
export type ParserRequest = ParserJob | { recognised: { text: string } | { code: ErrorCode; message: string } };

/**
 * The process is about to recognise a picture. Reading files takes no network, so a picture for a server goes through
 * the parent process; the answer is `recognised`.
 */
export type RecognitionMessage = { recognise: { picture: Uint8Array | undefined } };

/** What the process answers. An error loses its class between processes, so its fields are sent. */
export type ParserAnswer =
  | { document: ParsedDocument }
  | { sheets: Sheet[] }
  | { refused: { code: ErrorCode; message: string; cause: string | undefined } }
  | { crash: string };

/** @param work makes the answer */
async function answerOf(work: () => Promise<ParserAnswer>): Promise<ParserAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AlfredError)) return { crash: error instanceof Error ? (error.stack ?? '') : String(error) };
    const { code, message, cause } = error;
    return { refused: { code, message, cause: cause instanceof Error ? cause.stack : undefined } };
  }
}

const parse = (file: FileToParse, recognise: Recognise | undefined) =>
  answerOf(async () => ({ document: await parseFile(file, recognise) }));

let settle: ((text: Promise<string>) => void) | undefined;
let recogniser: { recognise: Recognise | undefined } | undefined;

/** Asks the parent process for the text of a picture. Pictures of a file are read one after the other. */
const askParent = (picture: Uint8Array) =>
  new Promise<string>((resolve) => {
    settle = resolve;
    process.send?.({ recognise: { picture } } satisfies RecognitionMessage);
  });

function recogniserOf(ocr: OcrSetting): Recognise | undefined {
  recogniser ??= { recognise: createRecogniser(ocr, askParent) };
  const { recognise } = recogniser;
  if (ocr.kind !== 'tesseract') return recognise;
  return (name, picture) => {
    process.send?.({ recognise: { picture: undefined } } satisfies RecognitionMessage);
    return recognise ? recognise(name, picture) : Promise.resolve('');
  };
}

// This file is the entry point of a child process; see parser-processes.ts.
process.on('message', (request: ParserRequest) => {
  if ('file' in request) {
    void parse(request.file, recogniserOf(request.ocr)).then((answer) => process.send?.(answer));
  } else if ('sheetsOf' in request) {
    void answerOf(async () => ({ sheets: await readSheets(request.sheetsOf) })).then((answer) =>
      process.send?.(answer),
    );
  } else if ('text' in request.recognised) settle?.(Promise.resolve(request.recognised.text));
  else settle?.(Promise.reject(new AlfredError(request.recognised.code, request.recognised.message)));
});
// The parent process has ended, so no one waits for the answer.
process.on('disconnect', () => process.exit());
