import { eventName, type History } from './history-file.ts';

type HistoryEvent = NonNullable<History['events']>[number];

/** What the workflow code does, by the name of the SDK's state machine for it. */
const actionByMachine: Record<string, string> = {
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
  UpsertWorkflowSearchAttributes: 'changes search attributes',
  Update: 'answers an update',
};

/**
 * Describes the first difference between history and code: at which event, what the history has, and what the code did.
 *
 * The SDK reports it only in the text of its error. The patterns below match the wording of the pinned version;
 * test/cli/divergence.test.ts replays changed histories and fails when an update of the SDK changes it. The SDK's own
 * text always follows, so that nothing is lost when no pattern matches.
 *
 * @param error thrown by the SDK's replay
 */
export function describeDivergence(error: unknown, history: History): string {
  const details = sdkMessage(error instanceof Error ? error.message : String(error));
  const eventNumber = /HistoryEvent\(id: (\d+)/.exec(details)?.[1];
  const event = history.events?.find(({ eventId }) => String(eventId) === eventNumber);
  const lines: string[] = [];
  if (event) {
    lines.push(`History, event ${eventName(event)}${describeDetail(event)}.`);
    const action = describeCodeAction(details);
    if (action) lines.push(`The code ${action}.`);
  } else if (missingPatchIn(details)) {
    const patch = missingPatchIn(details);
    lines.push(
      `History took the patch '${patch}'.`,
      `The code asks patched('${patch}') no more: put the call back, or use deprecatePatch('${patch}') once no run needs it.`,
    );
  } else {
    const mismatch = /'?([^']*?)'? of scheduled event '([^']*)' does not match .*? of .*? command '([^']*)'/s.exec(
      details,
    );
    if (mismatch) {
      const scheduled = history.events?.find((candidate) => describeDetail(candidate).includes(mismatch[2] ?? '\0'));
      lines.push(
        `History, event ${scheduled ? eventName(scheduled) : '(unknown)'}: ${mismatch[2]}.`,
        `The code asks for ${mismatch[3]} there.`,
      );
    }
  }
  lines.push(`The SDK says: ${details}`);
  return lines.join('\n');
}

/** The SDK prints the native core's error as a Rust structure; its first message is all that helps. */
function sdkMessage(text: string): string {
  const quoted = /message: "((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return (quoted?.replaceAll('\\"', '"') ?? text.replace(/^.*?Details: /s, '')).trim();
}

const missingPatchIn = (details: string): string | undefined =>
  /patch marker encountered for change ([^\s,]+),? but there is no corresponding change command/i.exec(details)?.[1];

function describeCodeAction(details: string): string | undefined {
  if (/No command scheduled for event/.test(details))
    return 'asks for nothing there: a call is missing, it waits for something new before, or it threw an error earlier';
  const machine = /([A-Z][A-Za-z ]*?) ?(?:state )?[mM]achine (?:does not|cannot) handle/.exec(details)?.[1];
  if (machine) return `${actionByMachine[machine] ?? `is at "${machine}"`} there`;
  const mismatch = /scheduled event '[^']*' does not match .*? command '([^']*)'/s.exec(details);
  return mismatch ? `asks for ${mismatch[1]} there` : undefined;
}

/** `: activity callModel`; empty for an event that its name describes completely. */
function describeDetail(event: HistoryEvent): string {
  const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
  if (activity) return `: activity ${activity}`;
  const marker = event.markerRecordedEventAttributes;
  if (marker) return `: ${describeMarker(marker)}`;
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name;
  if (child) return `: child workflow ${child}`;
  const timer = event.timerStartedEventAttributes;
  if (timer) return `: timer ${timer.timerId} of ${String(timer.startToFireTimeout?.seconds ?? 0)} s`;
  const attributes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  return attributes ? `: search attributes ${Object.keys(attributes).join(', ')}` : '';
}

function describeMarker({ markerName, details }: NonNullable<HistoryEvent['markerRecordedEventAttributes']>): string {
  const data = details?.data?.payloads?.[0]?.data;
  const type = data ? /"activity_type":"([^"]+)"/.exec(new TextDecoder().decode(data))?.[1] : undefined;
  return type ? `local activity ${type}` : `marker ${markerName}`;
}
