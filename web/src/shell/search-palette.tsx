import { createSpotlight, Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import { IconMessage, IconPlus, IconSearch, IconSettings, IconUser } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { contactName, contactsQuery } from '@/features/contacts/queries';
import { displayName } from '@/features/inbox/model';
import { SHORTEST_SEARCH, searchQuery } from '@/features/inbox/queries';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { pages } from './navigation';
import '@mantine/spotlight/styles.css';

const [store, spotlight] = createSpotlight();

const iconProps = { size: 20, stroke: 1.7 };

/** Enter takes the first result when none was chosen with the arrows. */
function chooseFirst(event: KeyboardEvent<HTMLInputElement>) {
  const { selected, listId } = store.getState();
  if (event.key !== 'Enter' || event.nativeEvent.isComposing || selected !== -1) return;
  document.querySelector<HTMLElement>(`#${CSS.escape(listId)} [data-action]`)?.click();
}

/** Pages, conversations and contacts in one box. `opened` counts up with each wish to open it. */
export default function SearchPalette({ opened }: { opened: number }) {
  const { orgId, can } = useOrg();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const q = useDebounced(typed.trim(), 200);
  const asking = q.length >= SHORTEST_SEARCH;
  const conversations = useQuery({ ...searchQuery(orgId, q), placeholderData: keepPreviousData });
  const contacts = useQuery({
    ...contactsQuery(orgId, { q, sort: 'recent', page: 1, size: 25 }),
    enabled: asking,
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    if (opened > 0) spotlight.open();
  }, [opened]);

  const wanted = typed.trim().toLowerCase();
  const matches = (label: string) => label.toLowerCase().includes(wanted);
  const groups: SpotlightActionGroupData[] = [
    {
      group: 'Go to',
      actions: [
        ...pages.map(({ to, params, label, Icon }) => ({
          id: to,
          label,
          leftSection: <Icon {...iconProps} />,
          onClick: () => void navigate({ to, params }),
        })),
        ...[
          { section: 'organization', label: 'Settings' },
          { section: 'members', label: 'Members' },
          { section: 'whatsapp', label: 'WhatsApp number' },
          { section: 'appearance', label: 'Appearance' },
        ].map(({ section, label }) => ({
          id: `settings-${section}`,
          label,
          leftSection: <IconSettings {...iconProps} />,
          onClick: () => void navigate({ to: '/settings/$section', params: { section } }),
        })),
        ...(can('contacts.write')
          ? [
              {
                id: 'add-contact',
                label: 'Add contact',
                leftSection: <IconPlus {...iconProps} />,
                onClick: () => void navigate({ to: '/contacts', search: { add: true } }),
              },
            ]
          : []),
      ].filter(({ label }) => matches(label)),
    },
    {
      group: 'Conversations',
      actions: (asking ? (conversations.data ?? []) : []).slice(0, 6).map(({ conversation, snippet }) => ({
        id: `conversation-${conversation.id}`,
        label: displayName(conversation),
        description: snippet ?? conversation.last_message_preview ?? undefined,
        leftSection: <IconMessage {...iconProps} />,
        onClick: () =>
          void navigate({
            to: '/conversations/{-$conversationId}',
            params: { conversationId: conversation.id },
          }),
      })),
    },
    {
      group: 'Contacts',
      actions: (asking ? (contacts.data?.rows ?? []) : []).slice(0, 6).map((contact) => ({
        id: `contact-${contact.id}`,
        label: contactName(contact),
        description: contact.phone ?? undefined,
        leftSection: <IconUser {...iconProps} />,
        onClick: () => void navigate({ to: '/contacts', search: { contact: contact.id } }),
      })),
    },
  ];
  const busy = asking && (q !== typed.trim() || conversations.isFetching || contacts.isFetching);
  return (
    <Spotlight
      store={store}
      attributes={{ content: { 'aria-label': 'Search' } }}
      shortcut={null}
      query={typed}
      onQueryChange={setTyped}
      actions={groups.filter((group) => group.actions.length > 0)}
      filter={(_, actions) => actions}
      nothingFound={busy ? 'Searching…' : `Nothing found for “${typed}”`}
      highlightQuery
      scrollable
      maxHeight={420}
      closeOnActionTrigger
      clearQueryOnClose
      searchProps={{
        onKeyDown: chooseFirst,
        leftSection: <IconSearch size={20} aria-hidden />,
        placeholder: 'Search pages, conversations, contacts',
        'aria-label': 'Search pages, conversations, contacts',
      }}
    />
  );
}
