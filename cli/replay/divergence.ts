import { eventName, type History } from './history-file.ts';

type HistoryEvent = NonNullable<History['events']>[number];

/** What the SDK's state machines stand for, in the words of the code that asked. */
const machines: Record<string, string> = {
  Activity: 'schedules an activity',
  'Local activity': 'runs a local activity',
  Timer: 'starts a timer',
  'Child workflow': 'starts a child workflow',
  'Complete workflow': 'completes the workflow',
  'Fail workflow': 'fails the workflow',
  'Cancel workflow': 'ends the workflow as cancelled',
  'Continue as new workflow': 'continues as new',
  'Signal external WF': 'signals another workflow',
  'Cancel external WF': 'cancels another workflow',
  Patch: 'takes a patch marker',
  'Modify workflow properties': 'changes the memo',
  'Upsert search attributes': 'changes search attributes',
  Update: 'answers an update',
};

/**
 * Where code and history part, in words: what the history has, what the code did, at which event.
 *
 * @param error what the SDK's replay threw
 */
export function divergenceOf(error: unknown, history: History): string {
  const message = error instanceof Error ? error.message : String(error);
  const details = message.replace(/^.*?Details: /s, '').trim();
  const at = /HistoryEvent\(id: (\d+)/.exec(details)?.[1];
  const event = at === undefined ? undefined : history.events?.find(({ eventId }) => String(eventId) === at);
  const lines: string[] = [];
  if (event) {
    lines.push(`History, event ${eventName(event)}${detailOf(event)}.`);
    const did = codeDid(details);
    if (did) lines.push(`The code ${did}.`);
  } else {
    const mismatch = /'?([^']*?)'? of scheduled event '([^']*)' does not match .*? of .*? command '([^']*)'/s.exec(
      details,
    );
    if (mismatch) {
      const scheduled = history.events?.find((one) => detailOf(one).includes(mismatch[2] ?? '\0'));
      lines.push(
        `History, event ${scheduled ? eventName(scheduled) : '(unknown)'}: ${mismatch[2]}.`,
        `The code asks for ${mismatch[3]} there.`,
      );
    }
  }
  lines.push(`The SDK says: ${details || message}`);
  return lines.join('\n');
}

function codeDid(details: string): string | undefined {
  if (/No command scheduled for event/.test(details)) return 'asks for nothing there';
  const machine = /([A-Z][A-Za-z ]*?) (?:state )?machine (?:does not|cannot) handle this event/.exec(details)?.[1];
  if (machine) return `${machines[machine] ?? `is at "${machine}"`} there`;
  const mismatch = /scheduled event '[^']*' does not match .*? command '([^']*)'/s.exec(details);
  return mismatch ? `asks for ${mismatch[1]} there` : undefined;
}

/** `: activity callModel`, or nothing when the event's name says it all. */
function detailOf(event: HistoryEvent): string {
  const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
  if (activity) return `: activity ${activity}`;
  const marker = event.markerRecordedEventAttributes;
  if (marker) return `: ${markerText(marker)}`;
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name;
  if (child) return `: child workflow ${child}`;
  const timer = event.timerStartedEventAttributes;
  if (timer) return `: timer ${timer.timerId} of ${String(timer.startToFireTimeout?.seconds ?? 0)} s`;
  const attributes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  return attributes ? `: search attributes ${Object.keys(attributes).join(', ')}` : '';
}

function markerText({ markerName, details }: NonNullable<HistoryEvent['markerRecordedEventAttributes']>): string {
  const data = details?.data?.payloads?.[0]?.data;
  const type = data ? /"activity_type":"([^"]+)"/.exec(new TextDecoder().decode(data))?.[1] : undefined;
  return type ? `local activity ${type}` : `marker ${markerName}`;
}
