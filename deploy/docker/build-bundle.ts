import { writeFile } from 'node:fs/promises';
import { createLogger } from '../../runtime/logger.ts';
import { buildWorkflowBundle } from '../../workers/bundle.ts';

// `node deploy/docker/build-bundle.ts <file>` writes the workflow bundle to a file. The image contains it, so that no
// worker has to build it at its start.
const file = process.argv[2];
if (!file) {
  process.stderr.write('Where to? node deploy/docker/build-bundle.ts <file>\n');
  process.exit(2);
}
const { code } = await buildWorkflowBundle(
  createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'json' }, 'build'),
);
await writeFile(file, code);
process.stdout.write(`${file}: ${(code.length / 1e6).toFixed(1)} MB\n`);
