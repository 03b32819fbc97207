import { ActionIcon, Button, Group, Text, Title } from '@mantine/core';
import {
  IconDotsVertical,
  IconEdit,
  IconPlayerPause,
  IconPlayerPlay,
  IconRefresh,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { LateMenu } from '@/components/late-menu';
import { TextLink } from '@/components/text-link';
import { useMembers, useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { lazyPart } from '@/lib/lazy-part';
import { tellProblem } from '@/lib/tell';
import { exactTime, relativeAge } from '@/lib/time';
import type { Confirmed } from '../confirm-dialog';
import { type Campaign, canEdit, type Detail, isSegmentAudience } from '../model';
import { campaignKey, changeCampaign, detailQuery, isUnderWay } from '../queries';
import { StatusBadge } from '../status-badge';
import { audienceWords, costWords, retryable } from '../words';
import { placedWords } from '../zoned';
import classes from './detail.module.css';

const CampaignMenu = lazyPart(async () => (await import('../campaign-menu')).CampaignMenu);
const ConfirmDialog = lazyPart(async () => (await import('../confirm-dialog')).ConfirmDialog);

export function CampaignHeader({ detail }: { detail: Detail }) {
  const { campaign, stats } = detail;
  const org = useOrg();
  const navigate = useNavigate();
  const now = useNow(60_000);
  const [asked, setAsked] = useState<Confirmed>();
  const mayManage = org.can('campaigns.manage');
  const params = { campaignId: campaign.id };
  const waiting = stats.waiting + stats.queued;
  const again = retryable(detail);
  // Before anything has arrived there is nothing to pay.
  const money = detail.cost?.amount ? costWords(detail.cost) : undefined;
  return (
    <header className={classes.header}>
      <div className={classes.headline}>
        <Group gap="sm">
          <Title order={2} fz={24} style={{ overflowWrap: 'anywhere' }} dir="auto">
            {campaign.name || 'No name yet'}
          </Title>
          <StatusBadge campaign={campaign} />
        </Group>
        {campaign.description && (
          <Text c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }} dir="auto">
            {campaign.description}
          </Text>
        )}
        <Text size="sm" c="dimmed" mt={4}>
          <Audience detail={detail} />
          <Times campaign={campaign} now={now} />
          {money && ` · Cost about ${money}`}
        </Text>
      </div>
      {mayManage && (
        <Group gap="xs">
          <PauseButton campaign={campaign} />
          {isUnderWay(campaign.status) && (
            <Button variant="default" onClick={() => setAsked('cancel')}>
              Cancel
            </Button>
          )}
          {again > 0 && (
            <Button
              variant="default"
              leftSection={<IconRefresh size={18} />}
              onClick={() => setAsked('retry')}
            >
              Retry failed
            </Button>
          )}
          {campaign.status === 'scheduled' && (
            <Button variant="default" onClick={() => setAsked('unschedule')}>
              Take off the schedule
            </Button>
          )}
          {canEdit(campaign) && (
            <Button
              leftSection={<IconEdit size={18} />}
              onClick={() => void navigate({ to: '/campaigns/$campaignId/edit', params })}
            >
              Edit
            </Button>
          )}
          <LateMenu
            button={(press) => (
              <ActionIcon size={44} aria-label={`More for ${campaign.name}`} {...press}>
                <IconDotsVertical size={18} />
              </ActionIcon>
            )}
          >
            {(isWanted) => (
              <CampaignMenu
                campaign={campaign}
                onDelete={() => setAsked('delete')}
                defaultOpened={isWanted}
              />
            )}
          </LateMenu>
        </Group>
      )}
      <Suspense fallback={null}>
        {asked && (
          <ConfirmDialog
            what={asked}
            campaign={campaign}
            people={asked === 'retry' ? again : waiting}
            onClose={() => setAsked(undefined)}
            onDone={() => {
              if (asked === 'delete') void navigate({ to: '/campaigns' });
            }}
          />
        )}
      </Suspense>
    </header>
  );
}

function Audience({ detail }: { detail: Detail }) {
  const { campaign } = detail;
  const words = audienceWords(campaign.audience, detail.audience_name);
  return isSegmentAudience(campaign.audience) ? (
    <>
      To{' '}
      <TextLink to="/segments/$segmentId" params={{ segmentId: campaign.audience.segment_id }}>
        {words}
      </TextLink>
    </>
  ) : (
    <>To: {words}</>
  );
}

const ended: Partial<Record<Campaign['status'], string>> = { cancelled: 'Cancelled', failed: 'Stopped' };

function Times({ campaign, now }: { campaign: Campaign; now: number }) {
  const members = useMembers();
  const maker = members.data?.find(({ userId }) => userId === campaign.created_by)?.name;
  const line =
    campaign.status === 'scheduled' && campaign.scheduled_at
      ? {
          words: `Starts ${placedWords(campaign.scheduled_at, campaign.time_zone, now)}`,
          at: campaign.scheduled_at,
        }
      : campaign.finished_at
        ? {
            words: `${ended[campaign.status] ?? 'Finished'} ${relativeAge(campaign.finished_at, now)}`,
            at: campaign.finished_at,
          }
        : campaign.started_at || campaign.launched_at
          ? {
              words: `Started ${relativeAge(campaign.started_at ?? campaign.launched_at ?? '', now)}`,
              at: campaign.started_at ?? campaign.launched_at ?? '',
            }
          : { words: `Created ${relativeAge(campaign.created_at, now)}`, at: campaign.created_at };
  return (
    <>
      {' · '}
      <time dateTime={line.at} title={exactTime(line.at)}>
        {line.words}
      </time>
      {maker && ` · Made by ${maker}`}
    </>
  );
}

/** Pausing takes effect within a second, so it asks nothing and shows at once. */
function PauseButton({ campaign }: { campaign: Campaign }) {
  const queryClient = useQueryClient();
  const what = campaign.status === 'paused' ? 'resume' : 'pause';
  const key = detailQuery(campaign.org_id, campaign.id).queryKey;
  const change = useMutation({
    mutationFn: (next: 'pause' | 'resume') => changeCampaign(campaign.id, next),
    onMutate: async (next) => {
      await queryClient.cancelQueries({ queryKey: key });
      const before = queryClient.getQueryData(key);
      queryClient.setQueryData(
        key,
        (old) =>
          old && {
            ...old,
            campaign: {
              ...old.campaign,
              status: next === 'pause' ? ('paused' as const) : ('sending' as const),
            },
          },
      );
      return { before };
    },
    onError: (error, _, context) => {
      queryClient.setQueryData(key, context?.before);
      tellProblem(error);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id) }),
  });
  if (!isUnderWay(campaign.status)) return null;
  return (
    <Button
      variant={what === 'resume' ? 'filled' : 'default'}
      leftSection={what === 'resume' ? <IconPlayerPlay size={18} /> : <IconPlayerPause size={18} />}
      onClick={() => change.mutate(what)}
    >
      {what === 'resume' ? 'Resume' : 'Pause'}
    </Button>
  );
}
