import { Alert, Button, Group, Skeleton, Stack, TagsInput, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem, Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { call } from './api';
import { type ConsentKeywords, consentKeywordsQuery } from './queries';

/** The longest word the database keeps. */
const LONGEST = 40;

export function ConsentKeywordsSettings() {
  const { orgId } = useOrg();
  const words = useQuery(consentKeywordsQuery(orgId));
  if (words.isError && !words.data)
    return <LoadProblem error={words.error} what="the keywords" onRetry={() => void words.refetch()} />;
  if (!words.data) return <Skeleton height={240} radius="md" role="status" aria-label="Loading" />;
  return <Form key={JSON.stringify(words.data)} saved={words.data} />;
}

/** As messages are compared: capitals, single spaces, nothing around them. */
export const asKeyword = (word: string): string =>
  word
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/^[\p{P}\p{S}\s]+|[\p{P}\p{S}\s]+$/gu, '')
    .toUpperCase();

function Form({ saved }: { saved: ConsentKeywords }) {
  const org = useOrg();
  const queryClient = useQueryClient();
  const manage = org.can('settings.manage');
  const [stop, setStop] = useState(saved.stop);
  const [start, setStart] = useState(saved.start);
  const both = stop.filter((word) => start.includes(word));
  const save = useMutation({
    mutationFn: () => call('set_consent_keywords', { p_org_id: org.orgId, p_stop: stop, p_start: start }),
    onSuccess: async () => {
      notifications.show({ color: 'green', message: 'Saved.' });
      await queryClient.invalidateQueries({ queryKey: consentKeywordsQuery(org.orgId).queryKey });
    },
  });
  const clean = (words: string[]) => [
    ...new Set(words.map(asKeyword).filter((word) => word.length > 0 && word.length <= LONGEST)),
  ];
  const dirty = stop.join('\n') !== saved.stop.join('\n') || start.join('\n') !== saved.start.join('\n');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack maw={560}>
        <Text c="dimmed">
          A message that is nothing but one of these words changes the opt-in of whoever wrote it, whichever
          way it is capitalised.
        </Text>
        <TagsInput
          label="Stop"
          description="They no longer want marketing. Press Enter after each word."
          value={stop}
          onChange={(words) => setStop(clean(words))}
          disabled={!manage}
          acceptValueOnBlur
          splitChars={[',', ';']}
        />
        <TagsInput
          label="Start"
          description="They want marketing."
          value={start}
          onChange={(words) => setStart(clean(words))}
          disabled={!manage}
          acceptValueOnBlur
          splitChars={[',', ';']}
          error={both.length > 0 ? `“${both[0]}” can’t mean both.` : undefined}
        />
        {stop.length === 0 && (
          <Alert color="yellow">
            Without a stop word people can’t opt out by themselves. WhatsApp’s rules and many laws ask for a
            way.
          </Alert>
        )}
        <Problem error={save.error} />
        {manage && (
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!dirty || both.length > 0}>
              Save changes
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
