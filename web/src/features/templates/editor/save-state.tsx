import { Button, Group, Text } from '@mantine/core';
import { useNow } from '@/lib/clock';
import { describeError } from '@/lib/errors';
import { relativeAge } from '@/lib/time';
import { editsAtMeta } from '../model';
import type { TemplateDraft } from './use-template-draft';

/** Where what was typed is now, in words. */
export function saveWords(draft: TemplateDraft, now: number): string {
  const { row, isDirty, isSaving, savedAt, error, values, other } = draft;
  if (row && editsAtMeta(row))
    return isDirty ? 'Kept on this device until you send it to Meta' : 'Nothing changed yet';
  if (other) return 'Not saved: somebody else changed it';
  if (isSaving) return 'Saving…';
  if (error && isDirty) return 'Kept on this device, not saved yet';
  if (isDirty && !values.name) return 'Kept on this device. Give it a name, and it is saved as a draft.';
  if (isDirty) return 'Saving soon…';
  if (savedAt === undefined) return row ? 'Saved' : 'Nothing to save yet';
  const seconds = Math.max(0, Math.round((now - savedAt) / 1_000));
  if (seconds < 60) return `Saved ${seconds} s ago`;
  return `Saved ${relativeAge(new Date(savedAt).toISOString(), now)}`;
}

export function SaveState({ draft, onRetry }: { draft: TemplateDraft; onRetry: () => void }) {
  const now = useNow(1_000);
  const { error, isDirty, row } = draft;
  // Saving it is sending it to Meta, which is the review's.
  const savesHere = !(row && editsAtMeta(row));
  const code = error ? describeError(error).code : undefined;
  const isFieldProblem = code === 'TEMPLATE_005' || code === 'TEMPLATE_004';
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" c="dimmed">
        {saveWords(draft, now)}
        {error && isDirty && !isFieldProblem ? `: ${describeError(error).message}` : ''}
      </Text>
      {error !== undefined && isDirty && savesHere && !isFieldProblem && (
        <Button size="compact-sm" variant="default" onClick={onRetry}>
          Save now
        </Button>
      )}
    </Group>
  );
}
