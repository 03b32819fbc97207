const names: Record<string, string> = {
  contact: 'Contact',
  custom: 'Your own fields',
  tags: 'Tags',
  behaviour: 'What they did',
  segment: 'Other segments',
  campaign: 'Campaigns',
  flow: 'Flows',
  date: 'Dates',
};

/** A category of the catalogue in words; one that is newer than this page keeps its own name. */
export const categoryName = (category: string): string => names[category] ?? category;
