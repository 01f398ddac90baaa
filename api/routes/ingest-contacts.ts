import type { FastifyRequest } from 'fastify';
import { ContactIngest, ContactIngestQuery, ContactInputs, type ContactFormat } from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, IdempotencyHeaders, json, location, problems } from '../http/responses.ts';
import { bytesOf } from '../http/upload.ts';

const formats: Record<string, ContactFormat> = {
  'application/json': 'json',
  'application/jsonl': 'jsonl',
  'application/x-ndjson': 'jsonl',
  'text/csv': 'csv',
  'text/vcard': 'vcard',
  'text/x-vcard': 'vcard',
};
const types = Object.keys(formats);

const text = (description: string) => ({ type: 'string', description });

/** The upload of contacts. The body is read as it comes, so its parsers are left out here. */
export const ingestContactRoutes =
  ({ config, control }: Pick<ApiDeps, 'config' | 'control'>) =>
  async (app: Api) => {
    const maxMegabytes = config.ALFRED_MAX_UPLOAD_MB;
    app.removeContentTypeParser('application/json');
    app.addContentTypeParser(types, (_request, _payload, done) => done(null, undefined));

    app.route({
      method: 'POST',
      url: '/v1/contacts',
      bodyLimit: bytesOf(maxMegabytes),
      config: { limitVariable: 'ALFRED_MAX_UPLOAD_MB' },
      schema: {
        operationId: 'ingestContacts',
        tags: ['contacts'],
        summary: 'Add or update contacts: 100,000 at the most',
        description:
          'The lines are stored when the answer comes, and become contacts after it: follow the upload. A CSV begins with the names of its columns. Send it as UTF-8, UTF-16 or Windows-1252.',
        headers: IdempotencyHeaders,
        querystring: ContactIngestQuery,
        bodies: {
          'application/json': ContactInputs,
          'application/jsonl': text('One JSON object a line. Also as application/x-ndjson'),
          'text/csv': text('The first line names the columns'),
          'text/vcard': text('vCards 2.1, 3.0 or 4.0, one after the other'),
        },
        response: {
          202: json('The lines are becoming contacts', ContactIngest, location('the progress')),
          ...problems('too_many_uploads', 'idempotency_key_reused', ...bodyProblems),
        },
      },
      handler: async (request, reply) => {
        const { scope, query, headers } = request;
        const type = headers['content-type'];
        await control.contacts.checkTemporal();
        const ingest = await control.contacts.ingest(
          scope,
          {
            format: formatOf(type),
            charset: /charset="?([^\s;"]+)/i.exec(type ?? '')?.[1],
            source: query.source ?? 'api',
            name: query.name,
            country: query.country ?? config.ALFRED_CONTACTS_COUNTRY,
            idempotencyKey: headers['idempotency-key'],
          },
          limited(request, maxMegabytes),
        );
        return reply.code(202).header('location', `/v1/contact-ingests/${ingest.id}`).send(ingest);
      },
    });
  };

/** @throws AlfredError `unsupported_media_type` for a request without a type, which no parser has refused */
function formatOf(type: string | undefined): ContactFormat {
  const format = formats[(type ?? '').split(';', 1)[0]!.trim().toLowerCase()];
  if (format) return format;
  throw new AlfredError(
    'unsupported_media_type',
    `Name the type of the contacts in Content-Type: ${types.join(', ')}.`,
  );
}

/** The bytes of a body. @throws AlfredError `body_too_large` beyond ALFRED_MAX_UPLOAD_MB */
async function* limited({ raw, headers }: FastifyRequest, maxMegabytes: number): AsyncGenerator<Uint8Array> {
  let left = bytesOf(maxMegabytes);
  if (Number(headers['content-length'] ?? 0) > left) throw tooLarge(maxMegabytes);
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) throw tooLarge(maxMegabytes);
    yield chunk;
  }
}

const tooLarge = (megabytes: number) =>
  new AlfredError(
    'body_too_large',
    `The upload is larger than ${megabytes} MB. Send it in parts, or raise ALFRED_MAX_UPLOAD_MB.`,
  );
