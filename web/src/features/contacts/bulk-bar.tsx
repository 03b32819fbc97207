import { Button, CloseButton, Menu, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconChevronUp,
  IconFileExport,
  IconFilterPlus,
  IconShieldCheck,
  IconStairs,
  IconTag,
  IconTagOff,
  IconTrash,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { followJob } from '@/features/jobs/follow';
import { changedCount, isOver } from '@/features/jobs/model';
import { type ContactsChange, changeContacts, createExport } from '@/features/jobs/queries';
import { passSelection } from '@/features/segments/passed-selection';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import { atLeast, plural } from '@/lib/time';
import { type BulkAction, BulkDialog } from './bulk-dialog';
import { showUndo, useRefreshContacts } from './contact-actions';
import classes from './contacts.module.css';
import type { Contact } from './model';
import { type Matching, nothing, selectionOf, type Ticked, tickedCount } from './selection';

interface BulkBarProps {
  ticked: Ticked;
  total: number;
  /** There are more than `total`. */
  isMinimum: boolean;
  matching: Matching;
  rows: Contact[];
  onTicked: (ticked: Ticked) => void;
}

export function BulkBar({ ticked, total, isMinimum, matching, rows, onTicked }: BulkBarProps) {
  const org = useOrg();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const refresh = useRefreshContacts();
  const [asking, setAsking] = useState<BulkAction>();
  const chosen = tickedCount(ticked, total);
  const selection = selectionOf(ticked, matching);
  const fail = (error: unknown) => notifications.show({ color: 'red', message: wordsFor(error) });

  const change = useMutation({
    mutationFn: (what: ContactsChange) => changeContacts(org.orgId, selection, what),
    onSuccess: async (job, what) => {
      setAsking(undefined);
      onTicked(nothing);
      if (!isOver(job)) followJob(queryClient, job);
      else if (what.action === 'delete')
        showUndo(
          `${plural(changedCount(job), 'contact')} in the trash.`,
          // A selection by rule would also bring back what was deleted before.
          'ids' in selection && org.can('contacts.trash')
            ? async () => {
                const back = await changeContacts(org.orgId, selection, { action: 'restore' });
                if (!isOver(back)) followJob(queryClient, back);
                await refresh();
              }
            : undefined,
        );
      else
        notifications.show({
          color: 'green',
          message: `${plural(changedCount(job), 'contact')} changed.`,
        });
      await refresh();
    },
  });
  const exporting = useMutation({
    mutationFn: () => createExport(org.orgId, selection),
    onSuccess: (job) => followJob(queryClient, job),
    onError: fail,
  });
  const remove = () => {
    // A few ticked rows are quickly undone; a whole list is asked about first.
    if (ticked.kind === 'some') change.mutate({ action: 'delete' }, { onError: fail });
    else setAsking('delete');
  };
  return (
    <section className={classes.bulk} aria-label="Selected contacts">
      <CloseButton iconSize={18} aria-label="Clear the selection" onClick={() => onTicked(nothing)} />
      <Text fw={600} role="status">
        {atLeast(chosen, isMinimum && ticked.kind === 'all')} selected
      </Text>
      {ticked.kind === 'some' && total > chosen && (
        <button
          type="button"
          className="op-link-button"
          onClick={() => onTicked({ kind: 'all', except: new Set() })}
        >
          Select all {atLeast(total, isMinimum)} that match
        </button>
      )}
      <Menu position="top-end">
        <Menu.Target>
          <Button ml="auto" rightSection={<IconChevronUp size={16} />} loading={change.isPending}>
            Actions
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconTag size={18} />} onClick={() => setAsking('add_tags')}>
            Add tag
          </Menu.Item>
          <Menu.Item leftSection={<IconTagOff size={18} />} onClick={() => setAsking('remove_tags')}>
            Remove tag
          </Menu.Item>
          <Menu.Item leftSection={<IconShieldCheck size={18} />} onClick={() => setAsking('set_consent')}>
            Change opt-in
          </Menu.Item>
          <Menu.Item leftSection={<IconStairs size={18} />} onClick={() => setAsking('set_lifecycle_stage')}>
            Set stage
          </Menu.Item>
          <Menu.Item
            leftSection={<IconFileExport size={18} />}
            disabled={exporting.isPending}
            onClick={() => exporting.mutate()}
          >
            Export
          </Menu.Item>
          {org.can('campaigns.manage') && (
            <Menu.Item
              leftSection={<IconFilterPlus size={18} />}
              onClick={() => {
                passSelection({ selection, count: chosen });
                void navigate({ to: '/segments/new', search: { kind: 'static', selected: true } });
              }}
            >
              Save as static segment
            </Menu.Item>
          )}
          {org.can('contacts.delete') && (
            <Menu.Item color="red" leftSection={<IconTrash size={18} />} onClick={remove}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {asking && (
        <BulkDialog
          action={asking}
          chosen={chosen}
          isMinimum={isMinimum && ticked.kind === 'all'}
          rows={ticked.kind === 'some' ? rows.filter((row) => ticked.ids.has(row.id)) : []}
          busy={change.isPending}
          error={change.error}
          onConfirm={(what) => change.mutate(what)}
          onClose={() => {
            change.reset();
            setAsking(undefined);
          }}
        />
      )}
    </section>
  );
}
