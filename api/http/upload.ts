import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { UploadedFile } from '../../contract/ports/index.ts';
import type { Callback } from '../../contract/callback.ts';
import { parseJson } from '../../contract/json.ts';
import { DocumentName, DocumentUpload } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import { InvalidRequest, type Issue } from '../../contract/errors.ts';
import { parse } from './problems.ts';
import { refuseUnstorable } from './storable.ts';

/** One megabyte is a million bytes here. */
export const bytesOf = (megabytes: number) => Math.floor(megabytes * 1_000_000);

const tooLarge = (megabytes: number) =>
  new AlfredError(
    'body_too_large',
    `The upload is larger than ${megabytes} MB. Send fewer files at once, or raise ALFRED_MAX_UPLOAD_MB.`,
  );

export type Upload = { files: UploadedFile[]; callback?: Callback | undefined };

/**
 * Reads an upload from a JSON body or a multipart form.
 *
 * @throws InvalidRequest when there is no file, a name is not a relative path, or two files have one name
 * @throws AlfredError `body_too_large` beyond ALFRED_MAX_UPLOAD_MB
 */
export async function uploadOf(request: FastifyRequest, maxMegabytes: number): Promise<Upload> {
  const upload = request.isMultipart() ? await multipartUpload(request, maxMegabytes) : jsonUpload(request.body);
  const { files } = upload;
  const issues = files.flatMap(({ name }, n) => nameIssues(name, files.findIndex((file) => file.name === name) < n));
  if (issues.length > 0) throw new InvalidRequest(issues);
  return upload;
}

function jsonUpload(body: unknown): Upload {
  const { name, text, mediaType, callback } = parse(DocumentUpload, body);
  return { files: [{ name, mediaType, bytes: Buffer.from(text) }], callback };
}

async function multipartUpload(request: FastifyRequest, maxMegabytes: number): Promise<Upload> {
  const files: UploadedFile[] = [];
  const unknown: Issue[] = [];
  let callback: Callback | undefined;
  let left = bytesOf(maxMegabytes);
  if (Number(request.headers['content-length'] ?? 0) > left) throw tooLarge(maxMegabytes);
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        if (part.fieldname === 'callback') callback = callbackOf(part.value);
        else
          unknown.push({
            path: part.fieldname,
            message: 'is a field without a file name; send files and `callback` only',
          });
        continue;
      }
      const bytes = await read(part, left);
      if (!bytes) throw tooLarge(maxMegabytes);
      left -= bytes.length;
      files.push({ name: part.filename.trim(), mediaType: part.mimetype, bytes });
    }
  } catch (error) {
    throw isNamed(error)
      ? error
      : new AlfredError('malformed_request', `The form could not be read: ${(error as Error).message}.`);
  }
  if (unknown.length > 0) throw new InvalidRequest(unknown);
  if (files.length > 0) return { files, callback };
  throw new InvalidRequest([{ path: '', message: 'holds no file; send at least one, like curl -F file=@handbook.md' }]);
}

/** The field `callback` of a form: the JSON of a callback. */
function callbackOf(field: unknown): Callback {
  const value = typeof field === 'string' ? parseJson(field) : field;
  if (typeof value !== 'object' || value === null)
    throw new InvalidRequest([
      { path: 'callback', message: 'expected JSON: {"url": "https://…", "secret": "whsec_…"}' },
    ]);
  refuseUnstorable(value, ['callback']);
  return parse(DocumentUpload.pick({ callback: true }), { callback: value }).callback as Callback;
}

/**
 * Passes on our errors and those with a framework code. The form parser throws errors without a code: they become ours.
 */
const isNamed = (error: unknown) => typeof (error as { code?: unknown }).code === 'string';

async function read({ file }: MultipartFile, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return file.truncated ? undefined : Buffer.concat(chunks);
}

function nameIssues(name: string, isTaken: boolean): Issue[] {
  const checked = DocumentName.safeParse(name);
  if (!checked.success) return checked.error.issues.map(({ message }) => ({ path: 'name', message }));
  refuseUnstorable(name, ['name']);
  if (isTaken) return [{ path: 'name', message: `"${name}" comes twice in this upload` }];
  const isRelative =
    !/^[/\\]|^[a-z]:|\\/i.test(name) && !name.split('/').some((part) => ['', '.', '..'].includes(part));
  return isRelative ? [] : [{ path: 'name', message: `"${name}" is not a relative path like handbook/travel.md` }];
}
