import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconArrowBackUp, IconMessage, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { LateMenu } from '@/components/late-menu';
import { usePageTitle } from '@/components/page-title';
import { PersonAvatar } from '@/components/person-avatar';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { exactTime, longDate } from '@/lib/time';
import { ClashNotice } from './clash-notice';
import { ConsentCard } from './consent-card';
import { useContactActions } from './contact-actions';
import classes from './contact-page.module.css';
import { CustomFieldsCard } from './custom-fields-card';
import { useEditContact } from './edit-contact';
import { InfoCard } from './info-card';
import { InlineField } from './inline-field';
import { lastList } from './last-list';
import { useLiveContacts } from './live';
import { type Contact, contactName, sourceNames, wordFor } from './model';
import { contactQuery } from './queries';
import { TagsCard } from './tags-card';
import { Timeline } from './timeline';

const route = getRouteApi('/_app/contacts/$contactId');

const ContactSegments = lazyPart(
  async () => (await import('@/features/segments/contact-segments')).ContactSegments,
);
const ContactOpportunities = lazyPart(
  async () => (await import('@/features/campaigns/opportunities/contact-opportunities')).ContactOpportunities,
);
const ContactMenu = lazyPart(async () => (await import('./contact-menu')).ContactMenu);
const MergeDialog = lazyPart(async () => (await import('./merge-dialog')).MergeDialog);
const EraseDialog = lazyPart(async () => (await import('./erase-dialog')).EraseDialog);

export function ContactPage() {
  const { contactId } = route.useParams();
  const { orgId } = useOrg();
  useLiveContacts(contactId);
  const contact = useQuery({ ...contactQuery(orgId, contactId), refetchInterval: usePolling() });
  const name = contact.data ? contactName(contact.data) : 'Contact';
  usePageTitle(name);
  return (
    <div className={classes.page}>
      <nav aria-label="Breadcrumb">
        <ol className={classes.crumbs}>
          <li>
            <TextLink to="/contacts" search={lastList()}>
              Contacts
            </TextLink>
          </li>
          <li aria-hidden>›</li>
          <li aria-current="page" title={name} dir="auto">
            {name}
          </li>
        </ol>
      </nav>
      {contact.data ? (
        <Details key={contactId} contact={contact.data} />
      ) : contact.isError ? (
        <LoadProblem error={contact.error} what="this contact" onRetry={() => void contact.refetch()} />
      ) : (
        <PageSkeleton />
      )}
    </div>
  );
}

function Details({ contact }: { contact: Contact }) {
  const org = useOrg();
  const { save, clash, keepTheirs, useMine: takeMine } = useEditContact(contact.id);
  const erased = Boolean(contact.erased_at);
  const editable = org.can('contacts.write') && !contact.deleted_at;
  const saving = editable ? save : undefined;
  if (erased)
    return (
      <Alert color="blue" title="This person’s data has been erased">
        Somebody asked to be forgotten{contact.erased_at && `, on ${longDate(contact.erased_at)}`}. Nothing
        but counts is left.
      </Alert>
    );
  return (
    <div className={classes.columns}>
      <div className={classes.column}>
        <Head contact={contact} />
        {clash && <ClashNotice clash={clash} onKeepTheirs={keepTheirs} onUseMine={takeMine} />}
        <InfoCard contact={contact} save={saving} />
        <CustomFieldsCard contact={contact} save={saving} />
        <TagsCard contact={contact} editable={editable} />
        <ConsentCard contact={contact} editable={editable} />
        <section className={classes.card} aria-label="Notes">
          <InlineField
            contact={contact}
            path="notes"
            label="Notes"
            shown={contact.notes}
            as={{ kind: 'notes' }}
            save={saving}
          />
        </section>
        <Suspense fallback={<Skeleton height={96} radius="md" />}>
          <ContactSegments orgId={org.orgId} contactId={contact.id} />
        </Suspense>
        <Suspense fallback={<Skeleton height={96} radius="md" />}>
          <ContactOpportunities contactId={contact.id} editable={!contact.deleted_at} />
        </Suspense>
        <Text size="sm" c="dimmed">
          {wordFor(sourceNames, contact.source) || 'Added'} ·{' '}
          <time dateTime={contact.created_at} title={exactTime(contact.created_at)}>
            {longDate(contact.created_at)}
          </time>
        </Text>
      </div>
      <div className={classes.column}>
        <Timeline contact={contact} />
      </div>
    </div>
  );
}

function Head({ contact }: { contact: Contact }) {
  const org = useOrg();
  const navigate = useNavigate();
  const name = contactName(contact);
  const { start, starting, restore } = useContactActions(contact);
  const [dialog, setDialog] = useState<'merge' | 'erase'>();
  const backToList = () => void navigate({ to: '/contacts', search: lastList() });
  const inTrash = contact.deleted_at !== null;
  return (
    <section className={classes.card} aria-label="Contact">
      <div className={classes.head}>
        <PersonAvatar src={contact.avatar_url} name={name} size={64} />
        <div className={classes.headName}>
          <Title order={2} fz="xl" style={{ overflowWrap: 'anywhere' }} dir="auto">
            {name}
          </Title>
          {contact.username && contact.username !== name && <Text c="dimmed">@{contact.username}</Text>}
        </div>
        <Group gap="xs">
          {start && !inTrash && (
            <Button leftSection={<IconMessage size={18} />} loading={starting} onClick={start}>
              Send message
            </Button>
          )}
          {inTrash && org.can('contacts.trash') && (
            <Button
              leftSection={<IconArrowBackUp size={18} />}
              loading={restore.isPending}
              onClick={() => restore.mutate()}
            >
              Restore
            </Button>
          )}
          {org.role !== 'viewer' && (
            <LateMenu
              button={(press) => (
                <Button variant="default" {...press}>
                  More
                </Button>
              )}
            >
              {(isWanted) => (
                <ContactMenu
                  contact={contact}
                  defaultOpened={isWanted}
                  onDeleted={backToList}
                  onMerge={() => setDialog('merge')}
                  onErase={() => setDialog('erase')}
                />
              )}
            </LateMenu>
          )}
        </Group>
      </div>
      {inTrash && (
        <Alert color="yellow" mt="md" icon={<IconTrash aria-hidden />}>
          This contact is in the trash. Restore it to change anything.
        </Alert>
      )}
      <Suspense fallback={null}>
        {dialog === 'merge' && <MergeDialog contact={contact} onClose={() => setDialog(undefined)} />}
        {dialog === 'erase' && (
          <EraseDialog contact={contact} onClose={() => setDialog(undefined)} onErased={backToList} />
        )}
      </Suspense>
    </section>
  );
}

function PageSkeleton() {
  return (
    <div className={classes.columns} role="status" aria-label="Loading">
      <div className={classes.column}>
        <Group className={classes.card}>
          <Skeleton circle height={64} />
          <Skeleton height={24} width={200} />
        </Group>
        <Skeleton height={260} radius="md" />
        <Skeleton height={120} radius="md" />
      </div>
      <Stack className={classes.column}>
        <Skeleton height={420} radius="md" />
      </Stack>
    </div>
  );
}
