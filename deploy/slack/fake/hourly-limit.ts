import type { Deliveries } from './deliveries.ts';
import type { State } from './state.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Beyond its limit Slack drops events, and reports it once a minute: https://docs.slack.dev/apis/events-api */
export function createHourlyLimit({
  state,
  deliveries,
  eventsAnHour,
}: {
  state: State;
  deliveries: Deliveries;
  eventsAnHour: number;
}) {
  const sent = new Map<string, number[]>();
  const announced = new Map<string, number>();

  const announce = (team: string, minute: number) => {
    if (announced.get(team) === minute) return;
    announced.set(team, minute);
    deliveries.start(state.nextId('limited'), 'event', {
      token: state.app.verificationToken,
      type: 'app_rate_limited',
      team_id: team,
      minute_rate_limited: minute,
      api_app_id: state.app.id,
    });
  };

  return {
    /** @returns whether one more event of the workspace may be sent */
    take: (team: string): boolean => {
      const now = state.clock.now();
      const recent = (sent.get(team) ?? []).filter((at) => at > now - hourMs);
      sent.set(team, recent);
      if (recent.length >= eventsAnHour) {
        announce(team, Math.floor(now / minuteMs) * 60);
        return false;
      }
      recent.push(now);
      return true;
    },
  };
}
