import type { ContactsSearch } from './list-search';

let last: ContactsSearch = {};

/** Where the list stood, so that the way back from a contact leads to the same place. */
export function rememberList(search: ContactsSearch): void {
  const { add: _, filters: __, contact: ___, ...place } = search;
  last = place;
}

export const lastList = (): ContactsSearch => last;
