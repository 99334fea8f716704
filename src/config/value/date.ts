/** Days of a month, 1 to 12; of a leap year when no year is given. */
export function daysInMonth(month: number, year = 2000): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Whether the text is a date and time of the calendar, `YYYY-MM-DD HH:MM`. */
export function isDate(text: string): boolean {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2})$/.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number);
  const inCalendar = year >= 2000 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(month, year);
  return inCalendar && hour <= 23 && minute <= 59;
}
