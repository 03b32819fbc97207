import { Alert, Button, Group, MultiSelect, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { emailProblem } from '@/features/auth/fields';
import { useOrg } from '@/features/tenancy/queries';
import { describeError } from '@/lib/errors';
import { readStored, store } from '@/lib/storage';
import { answer, backend } from '@/lib/supabase';
import { call } from './api';
import { consentChoices } from './consent-badge';
import { CustomFieldInput } from './custom-field-input';
import type { CustomValue } from './custom-fields';
import { sameValue } from './edit-contact';
import { NEW_CONTACT_DRAFT } from './local';
import { type Contact, choices, stageNames } from './model';
import { contactQuery, customFieldsQuery, tagsQuery } from './queries';

interface Values {
  phone: string;
  full_name: string;
  email: string;
  company: string;
  job_title: string;
  notes: string;
  lifecycle_stage: string;
  consent: string;
  tags: string[];
  custom_fields: Record<string, CustomValue>;
}

const tagIdsOf = (contact: Contact) => contact.tags.map((tag) => tag.id).sort();

function valuesOf(contact: Contact | undefined): Values {
  return {
    phone: contact?.phone ?? '',
    full_name: contact?.full_name ?? '',
    email: contact?.email ?? '',
    company: contact?.company ?? '',
    job_title: contact?.job_title ?? '',
    notes: contact?.notes ?? '',
    lifecycle_stage: contact?.lifecycle_stage ?? 'lead',
    consent: contact?.opt_in_status ?? 'pending',
    tags: contact ? tagIdsOf(contact) : [],
    custom_fields: contact?.custom_fields ?? {},
  };
}

/** What the person changed, and nothing else: the rest may have been changed by somebody else meanwhile. */
function changes(from: Values, to: Values): Partial<Values> {
  const changed: Partial<Values> = Object.fromEntries(
    Object.entries(to).filter(([key, value]) => !sameValue(value, from[key as keyof Values])),
  );
  if (changed.custom_fields) {
    changed.custom_fields = Object.fromEntries(
      Object.entries(to.custom_fields).filter(([key, value]) => !sameValue(value, from.custom_fields[key])),
    );
  }
  return changed;
}

export interface ContactFormProps {
  /** Absent for a new one. */
  contact?: Contact;
  onSaved: (id: string) => void;
  onCancel: () => void;
}

/** Creates or changes a contact. A half-filled new one survives a reload. */
export function ContactForm({ contact, onSaved, onCancel }: ContactFormProps) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const tags = useQuery(tagsQuery(orgId));
  const customFields = useQuery(customFieldsQuery(orgId));
  const first = useRef<HTMLInputElement>(null);
  // The drawer's focus trap looked before this form was loaded.
  useEffect(() => first.current?.focus(), []);
  // What the form started from; moves on when somebody else's change arrives, so that only ours is sent.
  const [base, setBase] = useState(() => ({ contact, values: valuesOf(contact) }));
  const form = useForm<Values>({
    initialValues: {
      ...base.values,
      ...(contact ? {} : (readStored(NEW_CONTACT_DRAFT) as Partial<Values> | undefined)),
    },
    validate: {
      phone: (value) =>
        contact || /\d{5}/.test(value.replaceAll(/\D/g, ''))
          ? null
          : 'Enter a phone number, like +60 12-345 6789.',
      email: (value) => (value.trim() ? emailProblem(value) : null),
    },
  });
  useEffect(() => {
    if (!contact) store(NEW_CONTACT_DRAFT, form.values);
  }, [contact, form.values]);
  if (contact && base.contact?.updated_at !== contact.updated_at) {
    const theirs = valuesOf(contact);
    form.setValues({ ...theirs, ...changes(base.values, form.values) });
    setBase({ contact, values: theirs });
  }

  const save = useMutation({
    mutationFn: async (values: Values) => {
      const { consent, tags: tagIds, ...fields } = changes(base.values, values);
      if (!contact) {
        const row = await call<Contact>('create_contact', {
          p_org_id: orgId,
          p_fields: {
            ...fields,
            ...(tagIds ? { tag_ids: tagIds } : {}),
            ...(consent ? { opt_in_status: consent, opt_in_source: 'manual' } : {}),
          },
        });
        return row.id;
      }
      const { id } = contact;
      if (Object.keys(fields).length > 0) {
        await call('update_contact', {
          p_id: id,
          p_fields: fields,
          p_expected_updated_at: contact.updated_at,
        });
      }
      if (consent) await call('set_contact_consent', { p_id: id, p_status: consent, p_source: 'manual' });
      if (tagIds) await answer(backend().rpc('set_contact_tags', { p_id: id, p_tag_ids: tagIds }));
      return id;
    },
    onSuccess: async (id) => {
      if (!contact) store(NEW_CONTACT_DRAFT, undefined);
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: ['org', orgId, 'contacts'] }),
        queryClient.invalidateQueries({ queryKey: contactQuery(orgId, id).queryKey }),
        queryClient.invalidateQueries({ queryKey: ['org', orgId, 'conversations'] }),
        queryClient.invalidateQueries({ queryKey: ['org', orgId, 'conversation'] }),
        queryClient.invalidateQueries({ queryKey: ['org', orgId, 'overview'] }),
      ]);
      onSaved(id);
    },
    onError: (error) => {
      const { code, details } = describeError(error);
      if (code === 'CONTACT_003') form.setFieldError('phone', 'That phone number isn’t valid.');
      if (code === 'CONTACT_007' && typeof details.field === 'string')
        form.setFieldError(
          details.field.replace(/^custom\./, 'custom_fields.'),
          typeof details.problem === 'string' ? details.problem : 'Please check this.',
        );
      if (code === 'CONTACT_006' && contact) {
        void queryClient.invalidateQueries({ queryKey: contactQuery(orgId, contact.id).queryKey });
      }
    },
  });
  const problem = save.error ? describeError(save.error) : undefined;
  const existing = problem?.code === 'CONTACT_002' ? problem.details.contact_id : undefined;
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <Stack>
        <TextInput
          label="Phone number"
          description="Any notation works. Without a country code it is read as a number of your country."
          type="tel"
          size="md"
          withAsterisk={!contact}
          ref={first}
          {...form.getInputProps('phone')}
        />
        <TextInput label="Name" size="md" {...form.getInputProps('full_name')} />
        <TextInput label="E-mail" type="email" size="md" {...form.getInputProps('email')} />
        <Group grow align="flex-start">
          <TextInput label="Company" size="md" {...form.getInputProps('company')} />
          <TextInput label="Job title" size="md" {...form.getInputProps('job_title')} />
        </Group>
        <Group grow align="flex-start">
          <Select
            label="Stage"
            data={choices(stageNames)}
            allowDeselect={false}
            size="md"
            {...form.getInputProps('lifecycle_stage')}
          />
          <Select
            label="Opt-in"
            data={consentChoices}
            allowDeselect={false}
            size="md"
            {...form.getInputProps('consent')}
          />
        </Group>
        {(tags.data?.length ?? 0) > 0 && (
          <MultiSelect
            label="Tags"
            size="md"
            data={tags.data?.map((tag) => ({ value: tag.id, label: tag.name })) ?? []}
            searchable
            clearable
            {...form.getInputProps('tags')}
          />
        )}
        {customFields.data
          ?.filter((field) => !field.archived_at)
          .map((field) => (
            <CustomFieldInput
              key={field.id}
              field={field}
              value={form.values.custom_fields[field.key] ?? null}
              onChange={(value) =>
                form.setFieldValue('custom_fields', { ...form.values.custom_fields, [field.key]: value })
              }
              error={form.errors[`custom_fields.${field.key}`]}
            />
          ))}
        <Textarea label="Notes" autosize minRows={3} maxRows={8} size="md" {...form.getInputProps('notes')} />
        <Problem error={save.error} />
        {typeof existing === 'string' && (
          <TextLink to="/contacts/$contactId" params={{ contactId: existing }}>
            Open that contact
          </TextLink>
        )}
        {problem?.code === 'CONTACT_006' && (
          <Alert color="blue" variant="light">
            What you typed is still here.
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" size="md" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" size="md" loading={save.isPending}>
            {contact ? 'Save changes' : 'Add contact'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
