const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** Python's `strftime` in the C locale, in UTC. A directive that it does not know stays as it is. */
export function strftime(date: Date, format: string): string {
  const number = (value: number, width = 2): string => String(value).padStart(width, "0");
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  const weekday = days[date.getUTCDay()] ?? "";
  const monthName = months[month] ?? "";
  const firstDay = Date.UTC(year, 0, 1);
  const written: Readonly<Record<string, () => string>> = {
    Y: () => String(year),
    y: () => number(year % 100),
    m: () => number(month + 1),
    d: () => number(day),
    e: () => String(day).padStart(2, " "),
    j: () => number(Math.floor((date.getTime() - firstDay) / 86_400_000) + 1, 3),
    B: () => monthName,
    b: () => monthName.slice(0, 3),
    h: () => monthName.slice(0, 3),
    A: () => weekday,
    a: () => weekday.slice(0, 3),
    H: () => number(hour),
    I: () => number(hour % 12 || 12),
    M: () => number(minute),
    S: () => number(second),
    p: () => (hour < 12 ? "AM" : "PM"),
    F: () => strftime(date, "%Y-%m-%d"),
    D: () => strftime(date, "%m/%d/%y"),
    T: () => strftime(date, "%H:%M:%S"),
    R: () => strftime(date, "%H:%M"),
    "%": () => "%",
  };
  return format.replaceAll(/%(-?)([A-Za-z%])/g, (whole, bare: string, letter: string) => {
    const text = written[letter]?.() ?? whole;
    return bare === "" ? text : text.replace(/^[0 ]+(?=\d)/, "");
  });
}
