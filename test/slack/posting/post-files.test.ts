import { afterEach, expect, test } from '@jest/globals';
import { createStage, killAt, taskEvents, type Script, type Stage } from './posting-stage.ts';

let stage: Stage | undefined;
afterEach(() => stage?.close());

type File = { id: string; name: string; bytes: number };
const filesOf = (count: number, bytes = 10): File[] =>
  Array.from({ length: count }, (_, index) => ({ id: `f${index}`, name: `table-${index}.csv`, bytes }));

/** A short answer whose task makes files. */
function scriptWith(files: File[]): Script {
  const made = files.map(({ id, name, bytes }): Script[number] => [
    300,
    {
      type: 'artifact.created',
      data: { artifactId: id, callId: 'c1', name, mediaType: 'text/csv', bytes, sha256: '' },
    } as never,
  ]);
  return [
    [0, taskEvents.queued],
    [100, taskEvents.started],
    [200, taskEvents.step(1)],
    ...made,
    [400, taskEvents.stepDone(1)],
    [500, taskEvents.completed('Here are the tables.')],
  ];
}

async function askForFiles(of: Stage, files: File[]) {
  const post = await of.ask(scriptWith(files));
  for (const { id, name, bytes } of files) of.addFile(post.taskId, id, { name, content: Buffer.alloc(bytes, id) });
  return post;
}
type Post = Awaited<ReturnType<typeof askForFiles>>;

/** Lets time pass until the post is over, an hour at most. */
async function ended(of: Stage, post: Post): Promise<void> {
  for (let seconds = 0; post.row().finishedAt === null; seconds += 5) {
    if (seconds > 3_600) throw new Error(`the post does not end: ${JSON.stringify(post.row())}`);
    await of.pass(5_000);
  }
}

/** The files that stand in the thread, one list a message. */
const sharedBy = (post: Post) => post.answers().flatMap(({ files }) => (files.length > 0 ? [files] : []));
/** The files that the answer names. */
const namedBy = (post: Post) => post.answers().flatMap(({ shown }) => shown.match(/table-\d+\.csv/g) ?? []);

async function answer(files: File[], prepare: (stage: Stage) => void = () => undefined) {
  stage = await createStage();
  prepare(stage);
  stage.addProcess();
  const post = await askForFiles(stage, files);
  await ended(stage, post);
  return { stage, post };
}
const callsOf = ({ fake }: Stage, method: string) => fake.calls.filter((call) => call.method === method);

test('the files of a task stand below its answer, in one message, with their content', async () => {
  const { stage: env, post } = await answer(filesOf(2));
  expect(sharedBy(post)).toEqual([['table-0.csv', 'table-1.csv']]);
  expect(namedBy(post)).toEqual([]);
  const [call] = callsOf(env, 'files.completeUploadExternal');
  const [first] = JSON.parse(String(call?.args['files'])) as { id: string }[];
  expect(env.fake.file(first!.id)?.content.toString()).toBe('f0'.repeat(5));
  expect(env.counted.filter((line) => line === 'file shared')).toHaveLength(2);
});

test.each(['before', 'after'] as const)(
  'a process killed %s any step of the upload: another one ends it, and no file stands there twice',
  async (when) => {
    const killed = new Set<string | undefined>();
    for (let at = 0; at < 40; at++) {
      stage = await createStage({ rateLimits: false });
      const kill = killAt(/^(files|upload|saveFiles|save|finish)/, at, when);
      const post = await askForFiles(stage, filesOf(2));
      stage.addProcess({ pollMs: 5_000, tap: kill.tap });
      await stage.pass(10);
      stage.addProcess({ pollMs: 5_000 });
      await ended(stage, post);
      await stage.pass(70_000);
      const step = kill.killed();
      expect({ at, step, shared: sharedBy(post).flat(), named: namedBy(post) }).toEqual({
        at,
        step,
        shared: ['table-0.csv', 'table-1.csv'],
        named: [],
      });
      killed.add(step);
      if (step === undefined) break;
      await stage.close();
    }
    for (const step of ['files.getUploadURLExternal', 'upload', 'saveFiles', 'files.completeUploadExternal'])
      expect(killed).toContain(step);
  },
  120_000,
);

test('a call that shows the files, and whose answer got lost, is not made again', async () => {
  const { post } = await answer(filesOf(1), ({ fake }) => fake.faults.loseAnswer('files.completeUploadExternal'));
  expect(sharedBy(post)).toEqual([['table-0.csv']]);
});

test('without the scope, and where the workspace takes no files, links stand there after one call', async () => {
  for (const code of ['missing_scope', 'file_uploads_disabled']) {
    const { stage: env, post } = await answer(filesOf(3), ({ fake }) => {
      if (code === 'missing_scope') fake.workspace.scopes.delete('files:write');
      else fake.faults.fail('files.getUploadURLExternal', code);
    });
    expect([sharedBy(post), namedBy(post)]).toEqual([[], ['table-0.csv', 'table-1.csv', 'table-2.csv']]);
    expect(callsOf(env, 'files.getUploadURLExternal')).toHaveLength(1);
    expect(env.counted.filter((line) => line === 'file linked')).toHaveLength(3);
    await env.close();
  }
});

test('of two files, one that Slack does not take is a link, and the other one is shown', async () => {
  const tooLarge = await answer(filesOf(2), ({ fake }) =>
    fake.faults.fail('files.getUploadURLExternal', 'file_upload_size_restricted'),
  );
  expect([sharedBy(tooLarge.post), namedBy(tooLarge.post)]).toEqual([[['table-1.csv']], ['table-0.csv']]);
  await tooLarge.stage.close();
  // Both are refused together, then the first one alone.
  const ofWrongType = await answer(filesOf(2), ({ fake }) =>
    fake.faults.fail('files.completeUploadExternal', 'file_type_not_allowed', 2),
  );
  expect([sharedBy(ofWrongType.post), namedBy(ofWrongType.post)]).toEqual([[['table-1.csv']], ['table-0.csv']]);
});

test('limits of the rate, and a Slack that takes content only later, delay files and lose none', async () => {
  const { post } = await answer(filesOf(2), ({ fake }) => {
    fake.faults.rateLimit('files.getUploadURLExternal', 2, 30);
    fake.faults.rateLimit('files.completeUploadExternal', 1, 30);
    fake.faults.failUploads(503, 2);
  });
  expect([sharedBy(post), namedBy(post)]).toEqual([[['table-0.csv', 'table-1.csv']], []]);
});

test('content that Slack does not take in four attempts becomes a link, and the answer stands there meanwhile', async () => {
  const { stage: env, post } = await answer(filesOf(1), ({ fake }) => fake.faults.failUploads(503, 4));
  expect([sharedBy(post), namedBy(post)]).toEqual([[], ['table-0.csv']]);
  expect(post.answers()).toHaveLength(1);
  expect(post.answers()[0]?.versions.filter(({ shown }) => shown.includes('Here are'))).not.toHaveLength(0);
  expect(env.counted).toContain('ended shown');
});

test('nine files are uploaded, and 50 MB together; the rest are links', async () => {
  const many = await answer(filesOf(11));
  expect([sharedBy(many.post)[0]?.length, namedBy(many.post)]).toEqual([9, ['table-9.csv', 'table-10.csv']]);
  await many.stage.close();
  const large = await answer(filesOf(3, 20_000_000));
  expect([sharedBy(large.post), namedBy(large.post)]).toEqual([[['table-0.csv', 'table-1.csv']], ['table-2.csv']]);
});

test('a file that is too large takes no room of those after it', async () => {
  const [first, ...rest] = filesOf(3);
  const { post } = await answer([{ ...first!, bytes: 50_000_001 }, ...rest]);
  expect([sharedBy(post), namedBy(post)]).toEqual([[['table-1.csv', 'table-2.csv']], ['table-0.csv']]);
});

test('of a task that is erased while its files are uploaded, none is shown', async () => {
  stage = await createStage();
  const env = stage;
  const post = await askForFiles(env, filesOf(2));
  env.addProcess({
    tap: async (name, act) => {
      const done = await act();
      if (name === 'upload') env.erase(post.taskId);
      return done;
    },
  });
  await ended(env, post);
  expect([sharedBy(post), namedBy(post)]).toEqual([[], []]);
  expect(callsOf(env, 'files.completeUploadExternal')).toEqual([]);
});

test('an answer that is shown again does not upload its files again', async () => {
  const { stage: env, post } = await answer(filesOf(1));
  await env.posts.showAgain(post.taskId);
  await ended(env, post);
  expect([sharedBy(post), namedBy(post)]).toEqual([[['table-0.csv']], []]);
});

test('a channel that is switched off meanwhile gets the answer of a schedule, and not its files', async () => {
  stage = await createStage();
  const env = stage;
  const post = await askForFiles(env, filesOf(1));
  // As the post of a schedule, which stands in the channel itself.
  Object.assign(post.row(), { threadTs: '' });
  let isUploaded = false;
  env.addProcess({
    tap: async (name, act) => {
      const done = await act();
      if (name === 'upload' && !isUploaded) env.settings.isOn = false;
      isUploaded ||= name === 'upload';
      return done;
    },
  });
  await env.pass(5_000);
  const inChannel = env.fake.viewAll(env.channel).filter(({ fromApp }) => fromApp);
  expect(inChannel.map(({ shown, files }) => [shown.includes('Here are'), files])).toEqual([[true, []]]);
  env.settings.isOn = true;
  await ended(env, post);
  const root = env.fake.view(env.channel).find(({ fromApp }) => fromApp);
  expect(env.fake.view(env.channel, root?.ts).flatMap(({ files }) => files)).toEqual(['table-0.csv']);
});
