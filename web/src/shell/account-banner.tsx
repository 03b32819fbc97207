import { Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useOrg } from '@/features/tenancy/queries';
import { accountProblem } from '@/features/whatsapp/account-state';
import { accountsQuery } from '@/features/whatsapp/queries';
import classes from './shell.module.css';

/** Only for what blocks work. A number never connected is no fault: the inbox itself invites to connect one. */
export function AccountBanner() {
  const org = useOrg();
  const accounts = useQuery(accountsQuery(org.orgId));
  const navigate = useNavigate();
  const problem = accounts.data?.map(accountProblem).find(Boolean);
  if (!problem) return null;
  return (
    <Group
      role="alert"
      className={classes.banner}
      px="lg"
      py={8}
      gap="sm"
      wrap="nowrap"
      bg="var(--op-warning-tint)"
      c="var(--op-warning)"
    >
      <IconAlertTriangle size={20} aria-hidden style={{ flex: 'none' }} />
      <Text flex={1} fw={500}>
        {problem}
      </Text>
      {org.can('settings.manage') && (
        <Button
          size="xs"
          variant="default"
          onClick={() => void navigate({ to: '/settings/$section', params: { section: 'whatsapp' } })}
        >
          Open settings
        </Button>
      )}
    </Group>
  );
}
