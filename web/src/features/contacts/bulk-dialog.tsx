import { Button, Chip, Group, Input, Modal, Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import type { ContactsChange } from '@/features/jobs/queries';
import { useOrg } from '@/features/tenancy/queries';
import { ConsentFields, type ConsentGiven, consentGiven } from './consent-fields';
import classes from './contacts.module.css';
import { type Contact, choices, stageNames } from './model';
import { tagsQuery } from './queries';
import { contactsWords } from './selection';

export type BulkAction = Exclude<ContactsChange['action'], 'restore'>;

interface BulkDialogProps {
  action: BulkAction;
  chosen: number;
  /** More than `chosen`. */
  isMinimum: boolean;
  /** The ticked rows of this page, to offer first what they carry. */
  rows: Contact[];
  busy: boolean;
  error: unknown;
  onConfirm: (change: ContactsChange) => void;
  onClose: () => void;
}

export function BulkDialog({
  action,
  chosen,
  isMinimum,
  rows,
  busy,
  error,
  onConfirm,
  onClose,
}: BulkDialogProps) {
  const { orgId } = useOrg();
  const tags = useQuery(tagsQuery(orgId));
  const [tagIds, setTagIds] = useState<string[]>([]);
  const [stage, setStage] = useState<string | null>(null);
  const [consent, setConsent] = useState<ConsentGiven>(consentGiven);
  const people = contactsWords(chosen, isMinimum);
  const carried = new Set(rows.flatMap((row) => row.tags.map((tag) => tag.id)));
  const offered = (tags.data ?? []).filter(
    (tag) => action !== 'remove_tags' || rows.length < chosen || carried.has(tag.id),
  );

  const titles: Record<BulkAction, string> = {
    add_tags: 'Add tags',
    remove_tags: 'Remove tags',
    set_consent: 'Change opt-in',
    set_lifecycle_stage: 'Set stage',
    delete: `Delete ${people}?`,
  };
  const verbs: Record<BulkAction, string> = {
    add_tags: `Add to ${people}`,
    remove_tags: `Remove from ${people}`,
    set_consent: `Change ${people}`,
    set_lifecycle_stage: `Set for ${people}`,
    delete: `Delete ${people}`,
  };
  const change: ContactsChange | undefined =
    action === 'add_tags' || action === 'remove_tags'
      ? tagIds.length > 0
        ? { action, tag_ids: tagIds }
        : undefined
      : action === 'set_consent'
        ? { action, ...consent, evidence: consent.evidence.trim() || null }
        : action === 'set_lifecycle_stage'
          ? stage
            ? { action, stage }
            : undefined
          : { action };
  return (
    <Modal opened onClose={onClose} title={titles[action]} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (change) onConfirm(change);
        }}
      >
        <Stack>
          {(action === 'add_tags' || action === 'remove_tags') && (
            <fieldset className={classes.fieldset}>
              <Input.Label component="legend" mb={6}>
                Tags
              </Input.Label>
              <Chip.Group multiple value={tagIds} onChange={setTagIds}>
                <Group gap={6} className={classes.offered}>
                  {offered.map((tag) => (
                    <Chip key={tag.id} value={tag.id} variant="outline" size="sm">
                      {tag.name}
                    </Chip>
                  ))}
                </Group>
              </Chip.Group>
              {tags.isSuccess && offered.length === 0 && (
                <Text c="dimmed">
                  {action === 'add_tags' ? 'There are no tags yet.' : 'They carry no tags.'}
                </Text>
              )}
            </fieldset>
          )}
          {action === 'set_lifecycle_stage' && (
            <Select
              label="Stage"
              data={choices(stageNames)}
              value={stage}
              onChange={setStage}
              allowDeselect={false}
              data-autofocus
            />
          )}
          {action === 'set_consent' && <ConsentFields value={consent} onChange={setConsent} />}
          {action === 'delete' && (
            <Text>They go to the trash, where an owner or admin can restore them.</Text>
          )}
          <Problem error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              color={action === 'delete' ? 'red' : undefined}
              loading={busy}
              disabled={!change}
            >
              {verbs[action]}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
