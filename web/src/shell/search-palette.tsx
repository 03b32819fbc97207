import { createSpotlight, Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import {
  IconMessage,
  IconPlus,
  IconSearch,
  IconSend,
  IconSettings,
  IconTemplate,
  IconUser,
} from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { campaignsQuery } from '@/features/campaigns/queries';
import { statusNames as campaignStates } from '@/features/campaigns/words';
import { contactName, contactsQuery } from '@/features/contacts/queries';
import { displayName } from '@/features/inbox/model';
import { SHORTEST_SEARCH, searchQuery } from '@/features/inbox/queries';
import { languageName } from '@/features/templates/languages';
import { statusNames as templateStates } from '@/features/templates/names';
import { templatesQuery } from '@/features/templates/queries';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { pages } from './navigation';
import '@mantine/spotlight/styles.css';

const [store, spotlight] = createSpotlight();

/** Of each kind: the list's own page shows the rest. */
const FOUND_AT_MOST = 6;

const iconProps = { size: 20, stroke: 1.7 };

/** Enter takes the first result when none was chosen with the arrows. */
function chooseFirst(event: KeyboardEvent<HTMLInputElement>) {
  const { selected, listId } = store.getState();
  if (event.key !== 'Enter' || event.nativeEvent.isComposing || selected !== -1) return;
  document.querySelector<HTMLElement>(`#${CSS.escape(listId)} [data-action]`)?.click();
}

/** Pages, conversations, contacts, campaigns and templates in one box. `opened` counts up with each wish to open it. */
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
  const campaigns = useQuery({
    ...campaignsQuery(orgId, { q }),
    enabled: asking,
    placeholderData: keepPreviousData,
  });
  const templates = useQuery({
    ...templatesQuery(orgId, { q, sort: 'sent_count', descending: true, page: 1, size: FOUND_AT_MOST }),
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
          { section: 'campaigns', label: 'Campaign limits and prices' },
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
        ...(can('campaigns.manage')
          ? [
              { id: 'new-campaign', label: 'New campaign', to: '/campaigns/new' } as const,
              { id: 'new-template', label: 'New template', to: '/templates/new' } as const,
            ].map(({ id, label, to }) => ({
              id,
              label,
              leftSection: <IconPlus {...iconProps} />,
              onClick: () => void navigate({ to }),
            }))
          : []),
      ].filter(({ label }) => matches(label)),
    },
    {
      group: 'Conversations',
      actions: (asking ? (conversations.data ?? []) : [])
        .slice(0, FOUND_AT_MOST)
        .map(({ conversation, snippet }) => ({
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
      actions: (asking ? (contacts.data?.rows ?? []) : []).slice(0, FOUND_AT_MOST).map((contact) => ({
        id: `contact-${contact.id}`,
        label: contactName(contact),
        description: contact.phone ?? undefined,
        leftSection: <IconUser {...iconProps} />,
        onClick: () => void navigate({ to: '/contacts', search: { contact: contact.id } }),
      })),
    },
    {
      group: 'Campaigns',
      actions: (asking ? (campaigns.data?.campaigns ?? []) : []).slice(0, FOUND_AT_MOST).map((campaign) => ({
        id: `campaign-${campaign.id}`,
        label: campaign.name || 'No name yet',
        description: campaignStates[campaign.status],
        leftSection: <IconSend {...iconProps} />,
        onClick: () => void navigate({ to: '/campaigns/$campaignId', params: { campaignId: campaign.id } }),
      })),
    },
    {
      group: 'Templates',
      actions: (asking ? (templates.data?.templates ?? []) : []).slice(0, FOUND_AT_MOST).map((template) => ({
        id: `template-${template.id}`,
        label: template.name,
        description: `${templateStates[template.status]} · ${languageName(template.language)}`,
        leftSection: <IconTemplate {...iconProps} />,
        onClick: () => void navigate({ to: '/templates/$templateId', params: { templateId: template.id } }),
      })),
    },
  ];
  const isFetching = [conversations, contacts, campaigns, templates].some((query) => query.isFetching);
  const busy = asking && (q !== typed.trim() || isFetching);
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
        placeholder: 'Search pages, contacts, campaigns…',
        'aria-label': 'Search pages, conversations, contacts, campaigns and templates',
      }}
    />
  );
}
