import { Skeleton, Stack } from '@mantine/core';
import { IconBrandWhatsapp, IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useCallback, useState } from 'react';
import { FindProblem } from '@/components/find-problem';
import { Hint, LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from '@/features/whatsapp/queries';
import { lazyPart } from '@/lib/lazy-part';
import { emptyValues, valuesOf } from './editor/values';
import { linkOriginQuery } from './link-origin';
import { mayEdit, type Template } from './model';
import { statusNames } from './names';
import { templateQuery } from './queries';
import classes from './templates.module.css';

const newRoute = getRouteApi('/_app/templates/new');
const editRoute = getRouteApi('/_app/templates/$templateId/edit');

// The editor with all its controls comes while the page's frame is already there.
const TemplateForm = lazyPart(async () => (await import('./editor/template-form')).TemplateForm);

/** A draft becomes a row once it has a name; the address then names it, so that a reload goes on with it. */
export function NewTemplatePage() {
  const { draft, step = 'edit' } = newRoute.useSearch();
  const navigate = useNavigate({ from: '/templates/new' });
  const org = useOrg();
  // The row that the form itself made must not replace the form.
  const [opened] = useState(draft);
  const accounts = useQuery(accountsQuery(org.orgId));
  const onCreated = useCallback(
    (made: Template) =>
      void navigate({ search: (old) => ({ ...old, draft: made.id }), replace: true, resetScroll: false }),
    [navigate],
  );
  if (!org.can('campaigns.manage')) return <NotAllowed />;
  if (accounts.data?.length === 0) return <NoAccount />;
  const form = (template?: Template) => (
    <Form
      template={template}
      step={step}
      onStep={(next) =>
        void navigate({ search: (old) => ({ ...old, step: next === 'review' ? next : undefined }) })
      }
      onCreated={onCreated}
    />
  );
  return <div className={classes.page}>{opened ? <Existing id={opened} form={form} /> : form()}</div>;
}

export function EditTemplatePage() {
  const { templateId } = editRoute.useParams();
  const { step = 'edit' } = editRoute.useSearch();
  const navigate = useNavigate({ from: '/templates/$templateId/edit' });
  const org = useOrg();
  if (!org.can('campaigns.manage')) return <NotAllowed />;
  return (
    <div className={classes.page}>
      <Existing
        key={templateId}
        id={templateId}
        form={(template) => (
          <Form
            template={template}
            step={step}
            onStep={(next) => void navigate({ search: { step: next === 'review' ? next : undefined } })}
            onCreated={() => {}}
          />
        )}
      />
    </div>
  );
}

/** An edit begins from what the database has now, never from what a page remembered. */
function Existing({ id, form }: { id: string; form: (template: Template) => React.ReactNode }) {
  const { orgId } = useOrg();
  const query = useQuery({
    ...templateQuery(orgId, id),
    refetchOnMount: 'always',
    refetchOnWindowFocus: false,
  });
  const [begun, setBegun] = useState<Template>();
  if (!begun && query.isSuccess && query.isFetchedAfterMount) setBegun(query.data);
  if (query.isError && !begun)
    return (
      <FindProblem
        error={query.error}
        what="this template"
        onRetry={() => void query.refetch()}
        back={<TextLink to="/templates">See all templates</TextLink>}
      />
    );
  if (!begun) return <FormSkeleton />;
  if (!mayEdit(begun)) return <NotNow template={begun} />;
  return form(begun);
}

interface FormProps {
  template?: Template;
  step: 'edit' | 'review';
  onStep: (step: 'edit' | 'review') => void;
  onCreated: (template: Template) => void;
}

function Form({ template, ...rest }: FormProps) {
  const { orgId } = useOrg();
  const origin = useQuery(linkOriginQuery);
  const [start] = useState(() => (template ? valuesOf(template) : emptyValues()));
  if (origin.isError)
    return <LoadProblem error={origin.error} what="the editor" onRetry={() => void origin.refetch()} />;
  if (!origin.data) return <FormSkeleton />;
  return (
    <Suspense fallback={<FormSkeleton />}>
      <TemplateForm orgId={orgId} template={template} start={start} linkOrigin={origin.data} {...rest} />
    </Suspense>
  );
}

function FormSkeleton() {
  return (
    <Stack role="status" aria-label="Loading">
      <Skeleton height={220} maw={720} />
      <Skeleton height={320} maw={720} />
    </Stack>
  );
}

function NotAllowed() {
  return (
    <Hint
      icon={<IconLock size={28} stroke={1.5} />}
      title="You can look at templates, not change them"
      action={<TextLink to="/templates">See the templates</TextLink>}
    >
      Ask an owner, an admin or a campaign manager to make or change one.
    </Hint>
  );
}

function NoAccount() {
  return (
    <Hint
      icon={<IconBrandWhatsapp size={28} stroke={1.5} />}
      title="Connect a WhatsApp number first"
      action={
        <TextLink to="/settings/$section" params={{ section: 'whatsapp' }}>
          Connect a number
        </TextLink>
      }
    >
      Meta keeps templates with your WhatsApp account. Once a number is connected, you can write the first
      one.
    </Hint>
  );
}

function NotNow({ template }: { template: Template }) {
  return (
    <Hint
      icon={<IconLock size={28} stroke={1.5} />}
      title={
        template.status === 'pending' ? 'Meta is reviewing it' : `${statusNames[template.status]} at Meta`
      }
      action={
        <TextLink to="/templates/$templateId" params={{ templateId: template.id }}>
          See the template
        </TextLink>
      }
    >
      {template.status === 'pending'
        ? 'A template can’t be changed while Meta looks at it. That mostly takes minutes.'
        : 'It can’t be changed any more. Duplicate it to go on with its words.'}
    </Hint>
  );
}
