import { Button, Group, Paper, SimpleGrid, Skeleton, Text, Title } from '@mantine/core';
import { IconBrandWhatsapp, IconInbox, IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useUser } from '@/features/auth/session';
import { useMembers, useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from '@/features/whatsapp/queries';
import { usePolling } from '@/lib/realtime';
import { count } from '@/lib/time';
import classes from './dashboard.module.css';
import { overviewQuery } from './overview';

export function DashboardPage() {
  const org = useOrg();
  const user = useUser();
  const members = useMembers();
  const navigate = useNavigate();
  const polling = usePolling();
  const overview = useQuery({ ...overviewQuery(org.orgId), refetchInterval: polling });
  const name = members.data?.find((member) => member.userId === user.id)?.name.split(' ')[0];
  return (
    <div className={classes.page}>
      <Title order={2} fz={22}>
        {greeting(new Date())}
        {name ? `, ${name}` : ''}
      </Title>
      <Text c="dimmed" mb="lg">
        Here is how {org.organization.name} is doing right now.
      </Text>
      <FirstStep />
      {overview.isError && !overview.data ? (
        <LoadProblem error={overview.error} what="your figures" onRetry={() => void overview.refetch()} />
      ) : (
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="md">
          <Figure label="Contacts" value={overview.data?.contacts} to="/contacts" action="See contacts" />
          <Figure
            label="Active conversations"
            value={overview.data?.active}
            to="/conversations"
            action="Open the inbox"
          />
          <Figure
            label="Messages in the last 24 hours"
            value={overview.data?.messages}
            to="/conversations"
            action="Open the inbox"
          />
          <Figure
            label="Unassigned conversations"
            value={overview.data?.unassigned}
            to="/conversations"
            search={{ tab: 'unassigned' }}
            action="Take one"
          />
        </SimpleGrid>
      )}
      <Title order={2} fz="lg" mt="xl" mb="sm">
        Quick actions
      </Title>
      <Group gap="sm">
        {org.can('contacts.write') && (
          <Button
            variant="default"
            size="md"
            leftSection={<IconUserPlus size={18} />}
            onClick={() => void navigate({ to: '/contacts', search: { add: true } })}
          >
            Add contact
          </Button>
        )}
        <Button
          variant="default"
          size="md"
          leftSection={<IconInbox size={18} />}
          onClick={() =>
            void navigate({
              to: '/conversations/{-$conversationId}',
              params: {},
              search: { tab: 'unassigned' },
            })
          }
        >
          Unassigned{overview.data ? ` (${count(overview.data.unassigned)})` : ''}
        </Button>
      </Group>
      <Text c="dimmed" mt="xl" maw={560}>
        Charts, response times and the activity feed come to this page with the dashboard’s own release. The
        figures above are counted live.
      </Text>
    </div>
  );
}

function greeting(now: Date): string {
  const hour = now.getHours();
  if (hour < 5) return 'Hello';
  if (hour < 12) return 'Good morning';
  return hour < 18 ? 'Good afternoon' : 'Good evening';
}

function FirstStep() {
  const org = useOrg();
  const navigate = useNavigate();
  const accounts = useQuery(accountsQuery(org.orgId));
  if (!accounts.data || accounts.data.some((account) => account.status !== 'disconnected')) return null;
  if (!org.can('settings.manage')) return null;
  return (
    <Paper className={classes.first} p="lg" mb="lg">
      <Group justify="space-between">
        <div>
          <Text fw={600} size="lg">
            Connect your WhatsApp number
          </Text>
          <Text>It takes two minutes. After that your customers’ messages arrive here.</Text>
        </div>
        <Button
          leftSection={<IconBrandWhatsapp size={20} />}
          size="md"
          onClick={() => void navigate({ to: '/settings/$section', params: { section: 'whatsapp' } })}
        >
          Connect a number
        </Button>
      </Group>
    </Paper>
  );
}

interface FigureProps {
  label: string;
  value?: number;
  to: string;
  search?: Record<string, unknown>;
  action: string;
}

function Figure({ label, value, to, search, action }: FigureProps) {
  return (
    <Paper shadow="xs" radius="md" p="lg" className={classes.figure}>
      {value === undefined ? (
        <Skeleton height={38} width={80} role="status" aria-label={`Loading ${label.toLowerCase()}`} />
      ) : (
        <Text className={classes.number}>{count(value)}</Text>
      )}
      <Text c="dimmed">{label}</Text>
      <TextLink to={to} search={search as never} size="sm" aria-label={`${action}: ${label.toLowerCase()}`}>
        {action}
      </TextLink>
    </Paper>
  );
}
