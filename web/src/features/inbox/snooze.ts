/** When a snoozed conversation may come back, in the person's own time. */
export function snoozeChoices(now: Date): { label: string; until: Date }[] {
  const at = (days: number, hour: number) => {
    const date = new Date(now);
    date.setDate(date.getDate() + days);
    date.setHours(hour, 0, 0, 0);
    return date;
  };
  const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000);
  const toMonday = (8 - now.getDay()) % 7 || 7;
  return [
    { label: 'In 1 hour', until: inHours(1) },
    { label: 'In 3 hours', until: inHours(3) },
    { label: 'Tomorrow, 9:00', until: at(1, 9) },
    { label: 'Next Monday, 9:00', until: at(toMonday, 9) },
  ];
}
