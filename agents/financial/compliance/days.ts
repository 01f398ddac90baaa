import Holidays from 'date-holidays';

const dayMs = 86_400_000;

/** Days since 1970. */
export const dayNumber = (day: string): number => Math.floor(Date.parse(`${day}T00:00:00Z`) / dayMs);

export const weekdayOf = (day: string): number => new Date(`${day}T00:00:00Z`).getUTCDay();

/** Reads the public holidays of a place, a year at a time. */
export function createHolidayCalendar([country, state]: readonly [string, string?]) {
  const calendar = state === undefined ? new Holidays(country) : new Holidays(country, state);
  const years = new Map<number, Map<string, string>>();
  /** @returns the name of the holiday */
  return (day: string): string | undefined => {
    const year = Number(day.slice(0, 4));
    let days = years.get(year);
    if (!days) {
      days = new Map(
        calendar
          .getHolidays(year, 'en')
          .filter(({ type }) => type === 'public')
          .map(({ date, name }) => [date.slice(0, 10), name]),
      );
      years.set(year, days);
    }
    return days.get(day);
  };
}
