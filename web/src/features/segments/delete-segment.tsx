import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { describeError } from '@/lib/errors';
import { tellDone } from '@/lib/tell';
import { plural } from '@/lib/time';
import type { Segment, Use } from './model';
import { deleteSegment, segmentKey } from './queries';
import classes from './segments.module.css';

interface DeleteSegmentProps {
  segment: Segment;
  onClose: () => void;
  onDeleted?: () => void;
}

/** Asks, deletes, or tells what still needs the segment. */
export function DeleteSegment({ segment, onClose, onDeleted }: DeleteSegmentProps) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteSegment(segment.id),
    onSuccess: async () => {
      onClose();
      onDeleted?.();
      tellDone(`“${segment.name}” is deleted. Its contacts are all still there.`);
      await queryClient.invalidateQueries({ queryKey: segmentKey(segment.org_id, 'list') });
    },
  });
  const uses = remove.error ? readUses(remove.error) : undefined;
  return (
    <Modal
      opened
      onClose={onClose}
      title={uses ? `“${segment.name}” is still needed` : `Delete “${segment.name}”?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        {uses ? (
          <Alert color="yellow" variant="light" role="alert">
            <Text size="sm">Take it out of these first, then delete it:</Text>
            <ul style={{ margin: '4px 0 0', paddingInlineStart: 18 }}>
              {uses.map((use) => (
                <li key={`${use.kind} ${use.id}`}>
                  {use.kind === 'segment' ? (
                    <TextLink
                      to="/segments/$segmentId/edit"
                      params={{ segmentId: use.id }}
                      className={classes.jump}
                      onClick={onClose}
                    >
                      {use.name}
                    </TextLink>
                  ) : (
                    use.name
                  )}{' '}
                  ({use.kind})
                </li>
              ))}
            </ul>
          </Alert>
        ) : (
          <>
            <Text>
              The segment goes for good. Its {plural(segment.member_count, 'contact')} stay where they are.
            </Text>
            <Problem error={remove.error} />
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {uses ? 'Close' : 'Keep it'}
          </Button>
          {!uses && (
            <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              Delete segment
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

/** Who refuses (SEGMENT_005). */
export function readUses(error: unknown): Use[] | undefined {
  const { code, details } = describeError(error);
  if (code !== 'SEGMENT_005' || !Array.isArray(details.used_by)) return undefined;
  const uses = (details.used_by as Partial<Use>[]).filter(
    (use): use is Use => typeof use.id === 'string' && typeof use.name === 'string',
  );
  return uses.length > 0 ? uses.map((use) => ({ ...use, kind: use.kind ?? 'segment' })) : undefined;
}
