import { Button, Group, Text, Title } from '@mantine/core';
import { Suspense, useState } from 'react';
import { lazyPart } from '@/lib/lazy-part';
import { ConsentBadge } from './consent-badge';
import classes from './contact-page.module.css';
import type { Contact } from './model';

const ChangeDialog = lazyPart(async () => (await import('./consent-dialogs')).ChangeDialog);
const HistoryDialog = lazyPart(async () => (await import('./consent-dialogs')).HistoryDialog);

const meaning: Record<string, string> = {
  opted_in: 'Campaigns and flows may write to them.',
  pending: 'Only answers within 24 hours of their last message.',
  opted_out: 'Campaigns and flows leave them out.',
};

export function ConsentCard({ contact, editable }: { contact: Contact; editable: boolean }) {
  const [dialog, setDialog] = useState<'change' | 'history'>();
  return (
    <section className={classes.card} aria-labelledby="consent-title">
      <Group justify="space-between" align="flex-start">
        <div>
          <Group gap="sm">
            <Title order={3} id="consent-title" fz="md">
              Opt-in
            </Title>
            <ConsentBadge status={contact.opt_in_status} />
          </Group>
          <Text size="sm" c="dimmed" mt={4}>
            {meaning[contact.opt_in_status]}
          </Text>
        </div>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={() => setDialog('history')}>
            History
          </Button>
          {editable && (
            <Button size="xs" variant="default" onClick={() => setDialog('change')}>
              Change opt-in
            </Button>
          )}
        </Group>
      </Group>
      <Suspense fallback={null}>
        {dialog === 'change' && <ChangeDialog contact={contact} onClose={() => setDialog(undefined)} />}
        {dialog === 'history' && <HistoryDialog contact={contact} onClose={() => setDialog(undefined)} />}
      </Suspense>
    </section>
  );
}
