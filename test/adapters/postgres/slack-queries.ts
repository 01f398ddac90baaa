import type { Adapters } from '../../../wiring/adapters.ts';

/** A day of a busy workspace: nearly all of it is done. */
export const generatedSlack = `
  insert into slack_inbox (key, kind, team, lane, completed_at)
    select 'k' || n, 'event', 'T1', 'l' || n, now() - interval '1 hour' from generate_series(1, 20000) n;
  insert into slack_inbox (key, kind, team, lane, body)
    select 'o' || n, 'event', 'T1', 'o' || n % 50, '{}' from generate_series(1, 200) n;
  insert into slack_posts (id, task_id, tenant, subject, agent, team, channel, thread_ts, user_id, question_ts, finished_at)
    select gen_random_uuid(), gen_random_uuid(), 'local', 's7', 'knowledge', 'T1', 'C' || n % 500, n::text, 'U1', n::text,
      case when n > 50 then now() end from generate_series(1, 20000) n;
  insert into slack_threads (team, channel, thread_ts, tenant, subject, conversation_id, agent)
    select 'T1', 'C' || n % 500, n::text, 'local', 's7', 'c' || n, 'knowledge' from generate_series(1, 20000) n;
  insert into slack_files (team, channel, thread_ts, ts, position, tenant, subject, name, document_name,
      question_ts)
    select 'T1', 'C' || n % 500, n::text, n::text, 0, 'local', 's7', 'a.txt', 'slack/' || n || '/a.txt', n::text from generate_series(1, 20000) n;
  insert into slack_notifications (id, kind, tenant, team, channel, created_at, finished_at)
    select pg_temp.id_at(n), 'failures', 'local', 'T1', 'C7', now() - n * interval '1 minute', now() from generate_series(2, 5000) n;
  insert into slack_notification_causes (receipt, notification_id, task_id)
    select 'failed:' || n, pg_temp.id_at(2 + n % 4000), pg_temp.id_at(n) from generate_series(1, 20000) n;
  insert into slack_notifications (id, kind, tenant, team, channel, owner)
    values ('01890000-0000-7000-8000-000000000001', 'failures', 'local', 'T1', 'C7', 'one');
  insert into subjects (tenant, subject, kind, roles, issued_at, expires_at, email, email_at)
    select 'local', 'mail' || n, 'person', '{}', now(), now(), 'mail' || n || '@example.com', now() from generate_series(1, 20000) n;
  analyze subjects;
  analyze slack_notifications, slack_notification_causes;
  analyze slack_inbox, slack_posts, slack_threads, slack_files;`;

/** Sends each query of the Slack door but the rare ones of its retention. */
export async function sendSlackQueries(adapters: Adapters) {
  const { slackChannels, slackFeedback, slackFiles, slackInbox, slackPosts, slackThreads } = adapters;
  const { slackNotifications, slackRunResults, slackUserLinks } = adapters;
  const leaseMs = 30_000;
  const place = { team: 'T1', channel: 'C7', threadTs: '7' };
  await slackInbox.store({ key: 'new', kind: 'event', team: 'T1', lane: 'l', body: {} });
  const delivery = await slackInbox.claim('one', leaseMs, { teams: ['T1'], without: ['C1'] });
  await slackInbox.renew('one', leaseMs, [delivery?.key ?? '', 'new']);
  await slackInbox.keep('one', delivery?.key ?? '', {});
  await slackInbox.retry('one', delivery?.key ?? '', 0);
  await slackInbox.complete('one', delivery?.key ?? '');
  await slackInbox.depth();
  await slackInbox.removeOld();
  const post = await slackPosts.claim('one', leaseMs, 'T1');
  await slackPosts.claimable('T1');
  await slackPosts.renew('one', leaseMs);
  await slackPosts.save('one', post?.id ?? '', { messages: [], seq: 1 });
  await slackPosts.saveFiles('one', post?.id ?? '', []);
  await slackPosts.ownedTs(place);
  await slackPosts.findByTask(post?.taskId ?? '');
  await slackPosts.finish('one', post?.id ?? '');
  await slackPosts.depth();
  await slackPosts.removeOld();
  const target = { tenant: 'local', team: 'T1', channel: 'C7' };
  const notification = '01890000-0000-7000-8000-000000000001';
  await slackNotifications.collectFailures(target);
  await slackNotifications.collectApprovals(target);
  await slackNotifications.claim('one', leaseMs, { ...target, kinds: ['failures'] });
  await slackNotifications.approvalsOf({ id: notification, tenant: 'local' });
  await slackNotifications.runOf({ id: notification, tenant: 'local' });
  await slackNotifications.park('one', notification);
  await slackNotifications.failuresOf({ id: notification, tenant: 'local' });
  await slackNotifications.save('one', notification, []);
  await slackNotifications.retry('one', notification, 0);
  await slackNotifications.findProblem({ ...target, kinds: ['failures'] });
  await slackNotifications.finish('one', notification);
  await slackNotifications.removeOld();
  await slackUserLinks.follow({ team: 'T1', userId: 'U1', tenant: 'local' }, 'mail1@example.com', 30);
  await slackRunResults.collect(target);
  await slackRunResults.giveUp(100);
  await slackRunResults.nameOf({ tenant: 'local', taskId: post?.taskId ?? notification });
  await slackRunResults.slackUsersOf({ tenant: 'local', subject: 's7', team: 'T1' }, 30);
  await slackThreads.find(place);
  await slackThreads.addAsker(place, 'U7');
  const message = { ...place, ts: '7' };
  await slackFiles.find(message);
  const owner = { tenant: 'local', subject: 's7' };
  const file = { name: 'a.txt', documentName: 'slack/1/a.txt', documentId: null, problem: null };
  await slackFiles.begin({ ...message, ts: '8' }, owner, [{ ...file, fileId: 'F1' }]);
  await slackFiles.beginUpload({ ...message, ts: '8' }, notification);
  await slackFiles.findUpload({ ...message, ts: '8' });
  await slackFiles.store({ ...message, ts: '8' }, [file]);
  await slackFiles.take(message);
  await slackFiles.giveBack(message);
  const removals = [{ channel: 'C7', ts: '7' }, { channel: 'C7', ts: '8', fileIds: ['F1'] }, { fileId: 'F7' }];
  await slackFiles.markRemoved(removals);
  await slackFiles.listRemoved(removals);
  await slackFiles.listRemoved();
  await slackChannels.find({ tenant: 'local', team: 'T1', channel: 'C7' });
  const given = { tenant: 'local', team: 'T1', userId: 'U7', subject: 's7', value: 'useful' } as const;
  await slackFeedback.give({ ...given, taskId: post?.taskId ?? '', at: new Date() });
}
