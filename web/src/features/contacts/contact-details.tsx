import { ActionIcon, CopyButton, Group, Stack, Text, Title, Tooltip } from '@mantine/core';
import { IconBriefcase, IconCheck, IconCopy, IconMail, IconNote, IconPhone } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { TextLink } from '@/components/text-link';
import { longDate } from '@/lib/time';
import { ConsentBadge } from './consent-badge';
import { type Contact, contactName, sourceNames, wordFor } from './model';
import { TagChips } from './tag-chips';

export function ContactDetails({ contact, actions }: { contact: Contact; actions?: ReactNode }) {
  const name = contactName(contact);
  return (
    <Stack gap="lg">
      <Stack align="center" gap={6} ta="center">
        <PersonAvatar src={contact.avatar_url} name={name} size={72} />
        <Title order={3} fz="lg" style={{ overflowWrap: 'anywhere' }} dir="auto">
          {name}
        </Title>
        <ConsentBadge status={contact.opt_in_status} />
      </Stack>
      {actions}
      <Stack gap="sm">
        <Fact Icon={IconPhone} label="Phone" value={contact.phone} copy />
        <Fact Icon={IconMail} label="E-mail" value={contact.email} copy />
        <Fact
          Icon={IconBriefcase}
          label="Work"
          value={[contact.job_title, contact.company].filter(Boolean).join(', ')}
        />
        <Fact Icon={IconNote} label="Notes" value={contact.notes} />
      </Stack>
      {contact.tags.length > 0 && (
        <div>
          <Text size="sm" c="dimmed" mb={6}>
            Tags
          </Text>
          <TagChips tags={contact.tags} />
        </div>
      )}
      <TextLink to="/contacts/$contactId" params={{ contactId: contact.id }} size="sm">
        Open the contact’s page
      </TextLink>
      <Text size="sm" c="dimmed">
        {wordFor(sourceNames, contact.source) || 'Added'} · {longDate(contact.created_at)}
      </Text>
    </Stack>
  );
}

interface FactProps {
  Icon: typeof IconPhone;
  label: string;
  value: string | null;
  copy?: boolean;
}

function Fact({ Icon, label, value, copy }: FactProps) {
  if (!value) return null;
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <Icon
        size={18}
        stroke={1.6}
        aria-hidden
        style={{ flex: 'none', marginTop: 2 }}
        color="var(--op-muted)"
      />
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text size="xs" c="dimmed">
          {label}
        </Text>
        <Text style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} dir="auto">
          {value}
        </Text>
      </div>
      {copy && (
        <CopyButton value={value}>
          {({ copied, copy: run }) => (
            <Tooltip label={copied ? 'Copied' : 'Copy'}>
              <ActionIcon size={32} aria-label={`Copy ${label.toLowerCase()}`} onClick={run}>
                {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      )}
    </Group>
  );
}
