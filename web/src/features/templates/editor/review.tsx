import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconSend } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent } from 'react';
import { Problem } from '@/components/problem';
import { accountsQuery } from '@/features/whatsapp/queries';
import { describeError } from '@/lib/errors';
import { tellDone } from '@/lib/tell';
import { exactTime } from '@/lib/time';
import { readUsers } from '../delete-template';
import { languageName } from '../languages';
import { editsAtMeta, type Template } from '../model';
import { categoryNames } from '../names';
import { PhonePreview } from '../preview/phone-preview';
import { templateQuery, templatesKey } from '../queries';
import classes from './editor.module.css';
import { ProblemList } from './problem-list';
import { renderValues } from './render';
import type { Problems } from './use-problems';
import type { TemplateDraft } from './use-template-draft';

interface ReviewProps {
  orgId: string;
  draft: TemplateDraft;
  problems: Problems;
  onBack: () => void;
  onJump: (field: string) => void;
}

/** The page before anything goes to Meta: what, where to, and what happens then. */
export function Review({ orgId, draft, problems, onBack, onJump }: ReviewProps) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const accounts = useQuery(accountsQuery(orgId));
  const { values, row } = draft;
  const isEdit = row !== undefined && editsAtMeta(row);
  const errors = problems.problems.filter((problem) => problem.severity === 'error');
  const submit = useMutation({
    mutationFn: async (): Promise<Template> => {
      // A change of what Meta has is on its way there once it is saved.
      return isEdit ? await draft.flush() : await draft.submit();
    },
    onSuccess: async (sent) => {
      draft.finish();
      queryClient.setQueryData(templateQuery(orgId, sent.id).queryKey, sent);
      void queryClient.invalidateQueries({ queryKey: templatesKey(orgId) });
      tellDone(`“${sent.name}” is on its way to Meta.`);
      await navigate({ to: '/templates/$templateId', params: { templateId: sent.id } });
    },
  });
  // Which of the two versions shall be is chosen in the editor.
  const isOvertaken = draft.other !== undefined;
  const goBack = useEffectEvent(onBack);
  useEffect(() => {
    if (isOvertaken) goBack();
  }, [isOvertaken]);
  const account = accounts.data?.find((each) => !values.wabaId || each.waba_id === values.wabaId);
  const nothingNew = isEdit && !draft.isDirty;
  return (
    <div className={classes.form}>
      <div className={classes.editor}>
        <Title order={2} fz={22}>
          {isEdit ? 'Send the change to Meta' : 'Submit to Meta'}
        </Title>
        <section className={classes.part} aria-label="What is submitted">
          <dl className={classes.facts}>
            <dt>Name</dt>
            <dd>{values.name || 'Not named yet'}</dd>
            <dt>Category</dt>
            <dd>{categoryNames[values.category]}</dd>
            <dt>Language</dt>
            <dd>{languageName(values.language)}</dd>
            <dt>WhatsApp account</dt>
            <dd>{account?.verified_name ?? account?.display_phone_number ?? 'No number is connected'}</dd>
          </dl>
        </section>
        <section aria-labelledby="what-title">
          <Text component="h3" id="what-title" fw={600} mb={8}>
            What happens then
          </Text>
          <What category={values.category} isEdit={isEdit} wasRejected={row?.status === 'rejected'} />
        </section>
        <ProblemList problems={problems.problems} onJump={onJump} />
        <Problem error={problems.error} onRetry={problems.retry} />
        <Refusal error={submit.error} />
        {nothingNew && <Text c="dimmed">You haven’t changed anything yet.</Text>}
      </div>
      <aside className={classes.truth} aria-label="Preview">
        <PhonePreview rendered={renderValues(values)} sender={account?.verified_name ?? undefined} />
      </aside>
      <div className={classes.foot}>
        <Group justify="space-between" flex={1}>
          <Button variant="default" size="md" leftSection={<IconArrowLeft size={18} />} onClick={onBack}>
            Back to the editor
          </Button>
          <Button
            size="md"
            leftSection={<IconSend size={18} />}
            loading={submit.isPending}
            disabled={errors.length > 0 || nothingNew || problems.isChecking}
            onClick={() => submit.mutate()}
          >
            {isEdit ? 'Send the change' : 'Submit to Meta'}
          </Button>
        </Group>
      </div>
    </div>
  );
}

function What({
  category,
  isEdit,
  wasRejected,
}: {
  category: Template['category'];
  isEdit: boolean;
  wasRejected: boolean;
}) {
  return (
    <ul className={classes.what}>
      <li>Meta reviews it: mostly within minutes, at most a day. You’ll get a notification.</li>
      <li>Nobody can change it while Meta looks at it.</li>
      {isEdit ? (
        <>
          <li>Until Meta has approved the change, the template can’t be sent.</li>
          <li>An approved template can be changed once in 24 hours and ten times in 30 days.</li>
        </>
      ) : (
        !wasRejected && <li>Its name and language stay as they are from then on.</li>
      )}
      {category === 'utility' && (
        <li>
          If Meta finds it promotional, it becomes Marketing: it then costs more, and only goes to those who
          opted in.
        </li>
      )}
      {category === 'marketing' && <li>Only contacts who opted in get it.</li>}
    </ul>
  );
}

/** Why Meta’s rules or ours don’t allow it now. */
function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  const { code, details } = describeError(error);
  if (code === 'TEMPLATE_007' && typeof details.retry_at === 'string')
    return (
      <Alert color="yellow" variant="light" role="alert">
        Meta allows one change a day and ten a month. The next one is possible on{' '}
        {exactTime(details.retry_at)}; what you wrote is kept on this device.
      </Alert>
    );
  if (code === 'TEMPLATE_005' && typeof details.free_at === 'string')
    return (
      <Alert color="yellow" variant="light" role="alert">
        Meta keeps the name of a deleted template for 30 days, this one until {exactTime(details.free_at)}.
        Choose another name.
      </Alert>
    );
  const users = readUsers(error);
  if (users)
    return (
      <Alert color="yellow" variant="light" role="alert">
        <Stack gap={4}>
          <Text size="sm">These still send it as it is. Stop or finish them first:</Text>
          <ul className={classes.what}>
            {users.map((user) => (
              <li key={user.id}>{user.name}</li>
            ))}
          </ul>
        </Stack>
      </Alert>
    );
  return <Problem error={error} />;
}
