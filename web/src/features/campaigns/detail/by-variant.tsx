import { Badge, Button, Group, Modal, Stack, Table, Text, Title } from '@mantine/core';
import { IconTrophy } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { tellDone } from '@/lib/tell';
import { count, plural } from '@/lib/time';
import type { Detail } from '../model';
import { campaignKey, chooseWinner, isUnderWay } from '../queries';
import { percent, variantName } from '../words';
import classes from './detail.module.css';

/** The variants side by side, whether one is better, and the choice when a person is to make it. */
export function ByVariant({ detail }: { detail: Detail }) {
  const { campaign, variants, by_variant, comparison, stats } = detail;
  const org = useOrg();
  const [chosen, setChosen] = useState<number>();
  const mayChoose =
    org.can('campaigns.manage') &&
    campaign.test !== null &&
    campaign.test !== undefined &&
    !campaign.winner &&
    isUnderWay(campaign.status);
  return (
    <section className={classes.card} aria-labelledby="variants-title">
      <Title order={3} fz="md" id="variants-title" mb={8}>
        Variants
      </Title>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Variant</Table.Th>
            <Table.Th className={classes.number}>Sent</Table.Th>
            <Table.Th className={classes.number}>Read</Table.Th>
            <Table.Th className={classes.number}>Replied</Table.Th>
            <Table.Th className={`${classes.number} ${classes.medium}`}>Clicked</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {variants.map(({ position, template_name }) => {
            const one = by_variant.find(({ variant }) => variant === position);
            return (
              <Table.Tr key={position}>
                <Table.Td>
                  <Group gap={6}>
                    <Text fw={600}>{variantName(position)}</Text>
                    {campaign.winner === position && (
                      <Badge variant="light" color="green" leftSection={<IconTrophy size={12} aria-hidden />}>
                        Winner
                      </Badge>
                    )}
                  </Group>
                  <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                    {template_name}
                  </Text>
                </Table.Td>
                <Table.Td className={classes.number}>{count(one?.sent ?? 0)}</Table.Td>
                <Figure value={one?.read ?? 0} of={one?.sent ?? 0} />
                <Figure value={one?.replied ?? 0} of={one?.sent ?? 0} />
                <Figure value={one?.clicked ?? 0} of={one?.sent ?? 0} className={classes.medium} />
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
      {comparison?.sentence && <Text mt="sm">{comparison.sentence}</Text>}
      {mayChoose && (
        <Group mt="sm" gap="xs">
          {variants.map(({ position }) => (
            <Button
              key={position}
              variant={comparison?.winner === position ? 'filled' : 'default'}
              onClick={() => setChosen(position)}
            >
              Send {variantName(position)} to the rest
            </Button>
          ))}
        </Group>
      )}
      {chosen !== undefined && (
        <ChooseDialog
          detail={detail}
          variant={chosen}
          waiting={stats.waiting}
          onClose={() => setChosen(undefined)}
        />
      )}
    </section>
  );
}

function Figure({ value, of, className = '' }: { value: number; of: number; className?: string }) {
  return (
    <Table.Td className={`${classes.number} ${className}`}>
      {percent(value, of)}
      <Text size="sm" c="dimmed">
        {count(value)}
      </Text>
    </Table.Td>
  );
}

interface ChooseDialogProps {
  detail: Detail;
  variant: number;
  waiting: number;
  onClose: () => void;
}

function ChooseDialog({ detail, variant, waiting, onClose }: ChooseDialogProps) {
  const { campaign } = detail;
  const queryClient = useQueryClient();
  const choose = useMutation({
    mutationFn: () => chooseWinner(campaign.id, variant),
    onSuccess: async () => {
      onClose();
      tellDone(`The rest gets ${variantName(variant)}.`);
      await queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id) });
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Send ${variantName(variant)} to the rest?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <Text>
          {plural(waiting, 'person is', 'people are')} still waiting. They all get {variantName(variant)}; the
          choice can’t be changed afterwards.
        </Text>
        <Problem error={choose.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Not yet
          </Button>
          <Button loading={choose.isPending} onClick={() => choose.mutate()}>
            Send {variantName(variant)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
