import { ActionIcon, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { PhonePreview } from '@/features/templates/preview/phone-preview';
import { useOrg } from '@/features/tenancy/queries';
import type { Rehearsal } from '../model';
import { variantName } from '../words';
import classes from './wizard.module.css';

interface MessagePagerProps {
  messages: Rehearsal['messages'];
  /** Says which variant each one is. */
  withVariant?: boolean;
}

/** Rendered messages one by one, each with whom it is for. */
export function MessagePager({ messages, withVariant }: MessagePagerProps) {
  const { organization } = useOrg();
  const [at, setAt] = useState(0);
  const index = Math.min(at, messages.length - 1);
  const message = messages[index];
  if (!message) return null;
  const who = message.full_name ?? message.phone ?? 'Unknown contact';
  return (
    <div>
      <Group wrap="nowrap" gap="xs" mb="xs">
        <ActionIcon
          variant="default"
          aria-label="Previous person"
          disabled={index === 0}
          onClick={() => setAt(index - 1)}
        >
          <IconChevronLeft size={18} />
        </ActionIcon>
        <div className={classes.pagerWho} role="status">
          <Text fw={600} truncate dir="auto" title={who}>
            {who}
          </Text>
          <Text size="sm" c="dimmed">
            {index + 1} of {messages.length}
            {withVariant && ` · ${variantName(message.variant ?? 1)}`}
          </Text>
        </div>
        <ActionIcon
          variant="default"
          aria-label="Next person"
          disabled={index >= messages.length - 1}
          onClick={() => setAt(index + 1)}
        >
          <IconChevronRight size={18} />
        </ActionIcon>
      </Group>
      <PhonePreview rendered={message.rendered} sender={organization.name} />
    </div>
  );
}
