import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { describeError } from '@/lib/errors';
import { tellDone } from '@/lib/tell';
import { count, plural } from '@/lib/time';
import type { Campaign } from '../model';
import { campaignKey, launchCampaign, scheduleCampaign, sendingKey } from '../queries';
import { zonedWords } from '../zoned';

interface SendDialogProps {
  campaign: Campaign;
  /** What was rehearsed, by its `updated_at`. */
  version: string;
  recipients: number;
  /** Null: now. */
  at: string | null;
  zone: string;
  cost: string | undefined;
  onClose: () => void;
  /** The database has another version than the rehearsed one. */
  onClash: () => void;
}

/** The last question: what is sent cannot be taken back. */
export function SendDialog({
  campaign,
  version,
  recipients,
  at,
  zone,
  cost,
  onClose,
  onClash,
}: SendDialogProps) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const people = plural(recipients, 'contact');
  const send = useMutation({
    mutationKey: sendingKey(campaign),
    mutationFn: () =>
      at ? scheduleCampaign(campaign.id, at, version) : launchCampaign(campaign.id, version),
    onError: (cause) => {
      if (describeError(cause).code === 'CAMPAIGN_007') onClash();
    },
    onSuccess: async () => {
      tellDone(at ? `“${campaign.name}” is scheduled.` : `“${campaign.name}” is on its way to ${people}.`);
      void navigate({ to: '/campaigns/$campaignId', params: { campaignId: campaign.id } });
      // Not the rehearsal, which is still on the screen and over.
      await Promise.all(
        ['list', 'one'].map((part) =>
          queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id, part) }),
        ),
      );
    },
  });
  const problem = send.error ? describeError(send.error) : undefined;
  return (
    <Modal
      opened
      onClose={onClose}
      title={at ? `Schedule for ${people}?` : `Send to ${people}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <Text>
          {at
            ? `It is sent ${zonedWords(at, zone)} to whoever is in the audience then. Until that moment you can change it or take it off the schedule.`
            : `It begins at once. You can pause or cancel the rest, but messages that are sent can’t be taken back.`}
        </Text>
        {cost && <Text>Meta charges about {cost}.</Text>}
        {problem && <Problem error={send.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Not yet
          </Button>
          <Button loading={send.isPending} onClick={() => send.mutate()}>
            {at ? 'Schedule' : `Send ${count(recipients)} now`}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
