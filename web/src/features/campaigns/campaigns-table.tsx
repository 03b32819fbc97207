import { ActionIcon, Skeleton, Table, Text, VisuallyHidden } from '@mantine/core';
import { IconDotsVertical } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { LateMenu } from '@/components/late-menu';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { lazyPart } from '@/lib/lazy-part';
import { count, exactTime, longDate, relativeAge } from '@/lib/time';
import classes from './campaigns.module.css';
import { addressed, type ListRow } from './model';
import { StatusBadge } from './status-badge';
import { audienceWords, percent } from './words';
import { fullWords, rowWords } from './zoned';

const CampaignMenu = lazyPart(async () => (await import('./campaign-menu')).CampaignMenu);

interface TableProps {
  campaigns?: ListRow[];
  stale: boolean;
  onDelete: (campaign: ListRow) => void;
}

export function CampaignsTable({ campaigns, stale, onDelete }: TableProps) {
  return (
    <div className={classes.table} data-stale={stale || undefined}>
      <Table verticalSpacing={8} highlightOnHover stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th className={classes.wide}>Audience</Table.Th>
            <Table.Th className={`${classes.number} ${classes.medium}`}>Sent</Table.Th>
            <Table.Th className={`${classes.number} ${classes.medium}`}>Delivered</Table.Th>
            <Table.Th className={`${classes.number} ${classes.medium}`}>Read</Table.Th>
            <Table.Th className={`${classes.number} ${classes.medium}`}>Replied</Table.Th>
            <Table.Th className={classes.wider}>Created</Table.Th>
            <Table.Th className={classes.menu}>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {campaigns
            ? campaigns.map((campaign) => <Row key={campaign.id} campaign={campaign} onDelete={onDelete} />)
            : Array.from({ length: 6 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
                <SkeletonRow key={index} />
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

/** A draft opens where it is made, everything else where it is watched. */
const placeOf = (campaign: ListRow) =>
  campaign.status === 'draft'
    ? ({ to: '/campaigns/$campaignId/edit', params: { campaignId: campaign.id } } as const)
    : ({ to: '/campaigns/$campaignId', params: { campaignId: campaign.id } } as const);

function Row({ campaign, onDelete }: { campaign: ListRow; onDelete: (campaign: ListRow) => void }) {
  const org = useOrg();
  const navigate = useNavigate();
  const now = useNow(60_000);
  const place =
    org.can('campaigns.manage') || campaign.status !== 'draft'
      ? placeOf(campaign)
      : ({ to: '/campaigns/$campaignId', params: { campaignId: campaign.id } } as const);
  const zone = campaign.time_zone ?? org.organization.time_zone;
  const began = campaign.total > 0;
  const name = campaign.name || 'No name yet';
  return (
    <Table.Tr className={classes.row} onClick={() => void navigate(place)}>
      <Table.Td>
        <Link
          {...place}
          className={classes.name}
          title={name}
          dir="auto"
          onClick={(event) => event.stopPropagation()}
        >
          {name}
        </Link>
        <Text size="sm" c="dimmed" className={classes.small}>
          {began
            ? `${count(campaign.sent)} sent · ${percent(campaign.read, campaign.sent)} read`
            : audienceWords(campaign.audience, campaign.audience_name)}
        </Text>
      </Table.Td>
      <Table.Td>
        <StatusBadge campaign={campaign} />
        {campaign.status === 'scheduled' && campaign.scheduled_at && (
          <Text size="sm" c="dimmed" title={fullWords(campaign.scheduled_at, zone)}>
            {rowWords(campaign.scheduled_at, zone, org.organization.time_zone, now)}
          </Text>
        )}
        {campaign.status === 'sending' && (
          <Text size="sm" c="dimmed">
            {percent(campaign.sent + campaign.failed, addressed(campaign))}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Text
          size="sm"
          className={classes.clipped}
          title={audienceWords(campaign.audience, campaign.audience_name)}
        >
          {audienceWords(campaign.audience, campaign.audience_name)}
        </Text>
      </Table.Td>
      <NumberCell value={campaign.sent} began={began} />
      <NumberCell value={campaign.delivered} of={campaign.sent} began={began} />
      <NumberCell value={campaign.read} of={campaign.sent} began={began} />
      <NumberCell value={campaign.replied} of={campaign.sent} began={began} />
      <Table.Td className={classes.wider}>
        <time dateTime={campaign.created_at} title={exactTime(campaign.created_at)}>
          {now - Date.parse(campaign.created_at) < 86_400_000
            ? relativeAge(campaign.created_at, now)
            : longDate(campaign.created_at)}
        </time>
        <Text size="sm" c="dimmed" className={classes.clipped}>
          {campaign.created_by_name}
        </Text>
      </Table.Td>
      {/* A click on the menu is not one on the row. */}
      <Table.Td className={classes.menu} onClick={(event) => event.stopPropagation()}>
        {org.can('campaigns.manage') && (
          <LateMenu
            button={(press) => (
              <ActionIcon size={44} aria-label={`More for ${name}`} {...press}>
                <IconDotsVertical size={18} />
              </ActionIcon>
            )}
          >
            {(isWanted) => (
              <CampaignMenu
                campaign={campaign}
                onDelete={() => onDelete(campaign)}
                defaultOpened={isWanted}
                withLinks
              />
            )}
          </LateMenu>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function NumberCell({ value, of, began }: { value: number; of?: number; began: boolean }) {
  return (
    <Table.Td className={`${classes.number} ${classes.medium}`}>
      {began ? count(value) : <Text c="dimmed">–</Text>}
      {began && of !== undefined && (
        <Text size="sm" c="dimmed">
          {percent(value, of)}
        </Text>
      )}
    </Table.Td>
  );
}

function SkeletonRow() {
  const cell = (width: number) => <Skeleton height={14} width={width} ml="auto" />;
  return (
    <Table.Tr className={classes.row}>
      <Table.Td>
        <Skeleton height={14} width={160} my={12} />
      </Table.Td>
      <Table.Td>
        <Skeleton height={20} width={84} radius="xl" />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Skeleton height={14} width={120} />
      </Table.Td>
      <Table.Td className={classes.medium}>{cell(40)}</Table.Td>
      <Table.Td className={classes.medium}>{cell(40)}</Table.Td>
      <Table.Td className={classes.medium}>{cell(40)}</Table.Td>
      <Table.Td className={classes.medium}>{cell(40)}</Table.Td>
      <Table.Td className={classes.wider}>
        <Skeleton height={14} width={90} />
      </Table.Td>
      <Table.Td>
        <Skeleton height={36} width={36} />
      </Table.Td>
    </Table.Tr>
  );
}
