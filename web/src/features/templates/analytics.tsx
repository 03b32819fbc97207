import { Button, Group, NativeSelect, Skeleton, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { usePolling } from '@/lib/realtime';
import { count } from '@/lib/time';
import { LineChart } from './line-chart';
import type { Analytics, Counts, Template } from './model';
import { percent } from './names';
import { analyticsQuery } from './queries';
import classes from './templates.module.css';

const spans = [7, 30, 90];

/** How often it was sent and what became of that, by day, and what sends it. */
export function TemplateAnalytics({ template }: { template: Template }) {
  const { orgId } = useOrg();
  const [days, setDays] = useState(30);
  const query = useQuery({
    ...analyticsQuery(orgId, template.id, days),
    placeholderData: (previous) => previous,
    refetchInterval: usePolling(),
  });
  return (
    <>
      <section className={classes.card} aria-labelledby="analytics-title">
        <Group justify="space-between" mb={12}>
          <Title order={3} fz="md" id="analytics-title">
            Performance
          </Title>
          <NativeSelect
            aria-label="Time span"
            value={String(days)}
            onChange={(event) => setDays(Number(event.currentTarget.value))}
            data={spans.map((span) => ({ value: String(span), label: `Last ${span} days` }))}
          />
        </Group>
        {query.isError && !query.data ? (
          <LoadProblem error={query.error} what="the figures" onRetry={() => void query.refetch()} />
        ) : query.data ? (
          <Figures analytics={query.data} />
        ) : (
          <Skeleton height={260} />
        )}
      </section>
      {query.data && <UsedBy analytics={query.data} />}
    </>
  );
}

const steps: { key: keyof Counts; name: string; of?: keyof Counts }[] = [
  { key: 'sent', name: 'Sent' },
  { key: 'delivered', name: 'Delivered', of: 'sent' },
  { key: 'read', name: 'Read', of: 'delivered' },
  { key: 'replied', name: 'Replied', of: 'delivered' },
];

const dayNames = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
/** Days come as dates of the organisation's time zone, and must not move into the browser's. */
const dayName = (day: string) => dayNames.format(new Date(`${day.slice(0, 10)}T00:00:00Z`));

function Figures({ analytics: { days, totals } }: { analytics: Analytics }) {
  const [asTable, setAsTable] = useState(false);
  if (totals.sent === 0)
    return <Text c="dimmed">It wasn’t sent in this time. Figures appear with the first message.</Text>;
  return (
    <>
      <dl className={classes.totals}>
        {steps.map(({ key, name, of }) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              {count(totals[key])}{' '}
              {of && totals[of] > 0 && <small>{percent(totals[key] / totals[of])}</small>}
            </dd>
          </div>
        ))}
      </dl>
      {asTable ? (
        <DaysTable days={days} />
      ) : (
        <LineChart
          label="Messages sent by day"
          points={days.map((day) => ({ label: dayName(day.day), value: day.sent }))}
        />
      )}
      <Group justify="flex-end" mt="xs">
        <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show the chart' : 'Show as a table'}
        </Button>
      </Group>
    </>
  );
}

function DaysTable({ days }: { days: Analytics['days'] }) {
  const used = days.filter((day) => steps.some(({ key }) => day[key] > 0));
  return (
    <Table.ScrollContainer minWidth={0} mah={320} tabIndex={0} aria-label="Figures by day">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Day</Table.Th>
            {steps.map(({ key, name }) => (
              <Table.Th key={key} className={classes.number}>
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {used.map((day) => (
            <Table.Tr key={day.day}>
              <Table.Td>{dayName(day.day)}</Table.Td>
              {steps.map(({ key }) => (
                <Table.Td key={key} className={classes.number}>
                  {count(day[key])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Campaigns and flows that send it. */
function UsedBy({ analytics: { campaigns, flows } }: { analytics: Analytics }) {
  const uses = [
    ...campaigns.map((use) => ({ ...use, kind: 'Campaign' })),
    ...flows.map((use) => ({ ...use, kind: 'Flow' })),
  ];
  return (
    <section className={classes.card} aria-labelledby="uses-title">
      <Title order={3} fz="md" mb={8} id="uses-title">
        Used by
      </Title>
      {uses.length === 0 ? (
        <Text c="dimmed">No campaign or flow sends it yet.</Text>
      ) : (
        <ul className={classes.uses}>
          {uses.map((use) => (
            <li key={use.id}>
              {use.kind === 'Campaign' ? (
                <a href={`/campaigns/${use.id}`}>{use.name}</a>
              ) : (
                <span>{use.name}</span>
              )}
              <Text size="sm" c="dimmed">
                {use.kind}
                {use.status ? `, ${use.status}` : ''}
              </Text>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
