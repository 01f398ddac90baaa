import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** An agent that answers texts and has no tools, as a module. */
export const plainAgent = `
import { defineAgent } from 'alfred/agent';
export default defineAgent({ description: 'Answers.', instructions: 'Answer.', tools: [] });
`;

/** An agent with one tool of its own, `read_order`, which answers with this text. */
export const agentWithTool = (answer: string, more = '') => `
import { defineAgent, defineTool, z } from 'alfred/agent';
const readOrder = defineTool({
  name: 'read_order',
  description: 'Reads an order.',
  input: z.strictObject({ id: z.string() }),
  run: async ({ id }) => ({ output: id + ' ${answer}', summary: 'read' }),
});
export default defineAgent({ description: 'Reads orders.', instructions: 'Read.', tools: [readOrder], ${more} });
`;

type Files = Record<string, string>;

/** Writes a pack to a folder outside the tree. @returns the folder */
export async function writePack(files: Files, manifest: object = {}): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'alfred-pack-')));
  await writeFiles(folder, {
    'package.json': JSON.stringify({
      name: 'test-pack',
      version: '1.2.3',
      type: 'module',
      alfred: { surface: 1 },
      ...manifest,
    }),
    ...files,
  });
  return folder;
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
