import {
  IconAddressBook,
  IconFilter,
  IconLayoutDashboard,
  IconMessages,
  IconRoute,
  IconSend,
  IconTemplate,
} from '@tabler/icons-react';

const inbox = '/conversations/{-$conversationId}' as const;

/** Links inherit the path parameters of the page they stand on: the inbox's link must not keep its conversation open. */
const closed = { conversationId: undefined };

export const pages = [
  { to: '/dashboard', params: closed, label: 'Dashboard', Icon: IconLayoutDashboard, key: 'd' },
  { to: '/contacts', params: closed, label: 'Contacts', Icon: IconAddressBook, key: 'c' },
  { to: inbox, params: closed, label: 'Conversations', Icon: IconMessages, key: 'i' },
  { to: '/campaigns', params: closed, label: 'Campaigns', Icon: IconSend, key: 'm' },
  { to: '/flows', params: closed, label: 'Flows', Icon: IconRoute, key: 'f' },
  { to: '/segments', params: closed, label: 'Segments', Icon: IconFilter, key: 's' },
  { to: '/templates', params: closed, label: 'Templates', Icon: IconTemplate, key: 't' },
] as const;

export const inboxPage = { to: inbox, params: closed } as const;
