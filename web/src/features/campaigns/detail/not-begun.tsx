import { Button, Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type Campaign, canEdit } from '../model';
import { useDuplicate } from '../use-duplicate';
import classes from './detail.module.css';

const words = (campaign: Campaign): string => {
  if (campaign.status === 'draft')
    return 'This is a draft. Nothing is sent before somebody sends or schedules it.';
  if (campaign.status === 'scheduled')
    return 'Nothing is sent yet. Figures appear here as soon as it begins.';
  return 'Nobody has received anything. A copy can be changed and sent.';
};

/** In the place of figures, while there are none or when there never will be any: what comes next. */
export function NotBegun({ campaign, mayManage }: { campaign: Campaign; mayManage: boolean }) {
  const navigate = useNavigate();
  const duplicate = useDuplicate(campaign);
  const isScheduled = campaign.status === 'scheduled';
  const edit = () =>
    void navigate({
      to: '/campaigns/$campaignId/edit',
      params: { campaignId: campaign.id },
      search: { step: isScheduled ? 'review' : undefined },
    });
  return (
    <section className={classes.card}>
      <Stack align="flex-start">
        <Text>{words(campaign)}</Text>
        {mayManage &&
          (canEdit(campaign) ? (
            <Button onClick={edit}>{isScheduled ? 'See what will happen' : 'Go on with it'}</Button>
          ) : (
            <Button loading={duplicate.isPending} onClick={() => duplicate.mutate()}>
              Duplicate it
            </Button>
          ))}
      </Stack>
    </section>
  );
}
