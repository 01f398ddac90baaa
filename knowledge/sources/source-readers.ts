import type { Config } from '../../runtime/config.ts';
import type { SourceReaders } from '../../contract/ports/index.ts';
import { createOutbound } from '../../adapters/outbound/outbound.ts';
import { createGitSource } from './git/git-source.ts';
import { createS3Source } from './s3/s3-source.ts';
import type { S3Config } from './s3/s3-client.ts';
import { createWebSource } from './web/web-source.ts';

/** Timeout of one response. */
const timeoutMs = 60_000;

type SourceConfig = S3Config & Pick<Config, 'ALFRED_MAX_UPLOAD_MB' | 'ALFRED_OUTBOUND_ALLOW' | 'ALFRED_S3_PREFIXES'>;

/** Size limit of a repository, packed. */
const maxPackBytes = 100_000_000;

/** A reader for each kind of source. `close` deletes their temporary files. */
export function createSourceReaders(config: SourceConfig): SourceReaders & { close(): void } {
  const maxBytes = Math.floor(config.ALFRED_MAX_UPLOAD_MB * 1_000_000);
  const options = { allow: config.ALFRED_OUTBOUND_ALLOW, timeoutMs };
  const git = createGitSource({ outbound: createOutbound({ ...options, maxBytes: maxPackBytes }), maxBytes });
  return {
    web: createWebSource({ outbound: createOutbound({ ...options, maxBytes }), maxBytes }),
    s3: createS3Source(config, { maxBytes }),
    git,
    close: () => git.close(),
  };
}
