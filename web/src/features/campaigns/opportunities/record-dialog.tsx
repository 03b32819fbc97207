import { Button, Group, Modal, NumberInput, Select, Stack, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { tellDone } from '@/lib/tell';
import { currencies } from '../settings/queries';
import { opportunitiesKey, recordOpportunity } from './queries';

/** A booking or sale that somebody knows of. It counts for the last campaign the person received in time. */
export function RecordDialog({ contactId, onClose }: { contactId: string; onClose: () => void }) {
  const { orgId, organization } = useOrg();
  const queryClient = useQueryClient();
  const [amount, setAmount] = useState<number | ''>('');
  const [currency, setCurrency] = useState(usualCurrency(organization.country));
  const [note, setNote] = useState('');
  const record = useMutation({
    mutationFn: () =>
      recordOpportunity(contactId, {
        ...(amount !== '' && { amount, currency }),
        ...(note.trim() && { note: note.trim() }),
      }),
    onSuccess: async () => {
      onClose();
      tellDone('The sales opportunity is recorded.');
      await queryClient.invalidateQueries({ queryKey: opportunitiesKey(orgId, contactId) });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    record.mutate();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title="Record a sales opportunity"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit}>
        <Stack>
          <Group gap="sm" grow>
            <NumberInput
              label="Amount"
              description="If you know it"
              min={0}
              decimalScale={2}
              hideControls
              thousandSeparator=","
              value={amount}
              onChange={(value) => setAmount(typeof value === 'number' ? value : '')}
              data-autofocus
            />
            <Select
              label="Currency"
              description="Of the amount"
              searchable
              allowDeselect={false}
              data={currencies}
              value={currency}
              onChange={(value) => value && setCurrency(value)}
            />
          </Group>
          <Textarea
            label="Note"
            placeholder="Booked the family plan for March"
            maxLength={1000}
            autosize
            minRows={2}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          <Problem error={record.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={record.isPending}>
              Record
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Neighbours of Malaysia and itself; others choose once. */
const byCountry: Record<string, string> = {
  MY: 'MYR',
  SG: 'SGD',
  ID: 'IDR',
  TH: 'THB',
  PH: 'PHP',
  BN: 'BND',
};

const usualCurrency = (country: string): string => byCountry[country] ?? 'USD';
