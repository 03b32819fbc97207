import { Box, Button, Drawer, Group, Skeleton, Stack } from '@mantine/core';
import { IconEdit } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { ContactDetails } from '@/features/contacts/contact-details';
import { ContactForm } from '@/features/contacts/contact-form-lazy';
import { contactQuery } from '@/features/contacts/queries';
import { useOrg } from '@/features/tenancy/queries';
import { useConversation } from './queries';

export default function ContactPanel({ conversationId }: { conversationId: string }) {
  const conversation = useConversation(conversationId);
  if (conversation.data) return <Panel contactId={conversation.data.contact_id} />;
  return conversation.isError ? null : <PanelSkeleton />;
}

function Panel({ contactId }: { contactId: string }) {
  const org = useOrg();
  const contact = useQuery(contactQuery(org.orgId, contactId));
  const [editing, setEditing] = useState(false);
  if (contact.isPending) return <PanelSkeleton />;
  if (contact.isError)
    return <LoadProblem error={contact.error} what="this contact" onRetry={() => void contact.refetch()} />;
  return (
    <Box p="lg">
      <ContactDetails
        contact={contact.data}
        actions={
          org.can('contacts.write') && (
            <Group justify="center">
              <Button
                variant="default"
                size="sm"
                leftSection={<IconEdit size={18} />}
                onClick={() => setEditing(true)}
              >
                Edit
              </Button>
            </Group>
          )
        }
      />
      <Drawer
        opened={editing}
        onClose={() => setEditing(false)}
        position="right"
        size={460}
        title="Edit contact"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <ContactForm
          contact={contact.data}
          onSaved={() => setEditing(false)}
          onCancel={() => setEditing(false)}
        />
      </Drawer>
    </Box>
  );
}

function PanelSkeleton() {
  return (
    <Stack align="center" p="lg" role="status" aria-label="Loading contact details">
      <Skeleton circle height={72} />
      <Skeleton height={18} width={150} />
      <Skeleton height={20} width={90} />
      <Skeleton height={110} />
    </Stack>
  );
}
