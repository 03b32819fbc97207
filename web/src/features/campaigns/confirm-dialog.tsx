import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Problem } from '@/components/problem';
import { tellDone } from '@/lib/tell';
import { plural } from '@/lib/time';
import type { Campaign } from './model';
import { campaignKey, changeCampaign, deleteCampaign, retryFailed } from './queries';

export type Confirmed = 'delete' | 'cancel' | 'unschedule' | 'retry';

interface ConfirmDialogProps {
  what: Confirmed;
  campaign: Campaign;
  /** How many people it is about: those still waiting, or those that failed. */
  people?: number;
  onClose: () => void;
  onDone?: () => void;
}

interface Question {
  title: string;
  body: string;
  keep: string;
  act: string;
  done: string;
  isHarmless?: boolean;
}

function questionOf(what: Confirmed, name: string, people: number): Question {
  switch (what) {
    case 'delete':
      return {
        title: `Delete “${name}”?`,
        body: 'The draft goes for good. Nobody has received anything.',
        keep: 'Keep it',
        act: 'Delete draft',
        done: `“${name}” is deleted.`,
      };
    case 'cancel':
      return {
        title: `Cancel “${name}”?`,
        body: `${plural(people, 'person hasn’t', 'people haven’t')} received it yet, and won’t. What is sent can’t be taken back. A cancelled campaign can’t go on; pause it if you only want to wait.`,
        keep: 'Don’t cancel',
        act: 'Cancel campaign',
        done: `“${name}” is cancelled.`,
      };
    case 'unschedule':
      return {
        title: `Take “${name}” off the schedule?`,
        body: 'It becomes a draft again and is not sent until somebody sends or schedules it.',
        keep: 'Leave it scheduled',
        act: 'Make it a draft',
        done: `“${name}” is a draft again.`,
        isHarmless: true,
      };
    case 'retry':
      return {
        title: `Try ${plural(people, 'failed message')} again?`,
        body: 'Only people whom trying again can help get another attempt. Nobody who may have received it already is written to twice.',
        keep: 'Not now',
        act: 'Try again',
        done: '',
        isHarmless: true,
      };
  }
}

/** Asks before what cannot be undone, or what writes to people again. */
export function ConfirmDialog({ what, campaign, people = 0, onClose, onDone }: ConfirmDialogProps) {
  const queryClient = useQueryClient();
  const question = questionOf(what, campaign.name ?? '', people);
  const act = useMutation({
    mutationFn: async (): Promise<string> => {
      if (what === 'delete') await deleteCampaign(campaign.id);
      else if (what === 'retry') {
        const again = await retryFailed(campaign.id);
        return again === 0
          ? 'Trying again can help none of them.'
          : `${plural(again, 'message')} ${again === 1 ? 'is' : 'are'} tried again.`;
      } else await changeCampaign(campaign.id, what);
      return question.done;
    },
    onSuccess: async (said) => {
      onClose();
      onDone?.();
      tellDone(said);
      await queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id) });
    },
  });
  return (
    <Modal opened onClose={onClose} title={question.title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <Text>{question.body}</Text>
        <Problem error={act.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {question.keep}
          </Button>
          <Button
            color={question.isHarmless ? undefined : 'red'}
            loading={act.isPending}
            onClick={() => act.mutate()}
          >
            {question.act}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
