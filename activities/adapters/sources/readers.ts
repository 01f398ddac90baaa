import type { Config } from '../../../runtime/config.ts';
import type { SourceReaders } from '../../ports.ts';
import { createOutbound } from '../outbound/outbound.ts';
import { createS3Source } from './s3/s3-source.ts';
import type { S3Config } from './s3/s3-client.ts';
import { createWebSource } from './web/web-source.ts';

/** For one answer, in milliseconds. */
const timeoutMs = 60_000;

type SourceConfig = S3Config & Pick<Config, 'ALFRED_MAX_UPLOAD_MB' | 'ALFRED_OUTBOUND_ALLOW' | 'ALFRED_S3_PREFIXES'>;

/** What reads sources, by kind. */
export function createSourceReaders(config: SourceConfig): SourceReaders {
  const maxBytes = Math.floor(config.ALFRED_MAX_UPLOAD_MB * 1_000_000);
  const outbound = createOutbound({ allow: config.ALFRED_OUTBOUND_ALLOW, timeoutMs, maxBytes });
  return { web: createWebSource({ outbound, maxBytes }), s3: createS3Source(config, { maxBytes }) };
}
